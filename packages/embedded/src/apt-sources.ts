// Reads where this machine gets its packages from, so that no mirror's address has to be written in the code.

/** What /etc/os-release says. */
export interface Release {
  id: string;
  codename: string;
}

/** Reads the text of /etc/os-release. */
export function parseRelease(text: string): Release {
  const value = (name: string): string =>
    new RegExp(`^${name}="?([^"\\n]*)`, "m").exec(text)?.[1] ?? "";
  return { id: value("ID"), codename: value("VERSION_CODENAME") };
}

/** The mirror that serves the release's main part, read from the text of a `.sources` or `.list` file. */
export function mirrorOf(text: string, codename: string): string | undefined {
  return mirrorOfStanzas(text, codename) ?? mirrorOfLines(text, codename);
}

function mirrorOfStanzas(text: string, codename: string): string | undefined {
  for (const stanza of text.split(/\n\s*\n/)) {
    const words = (name: string): string[] =>
      new RegExp(`^${name}:[ \\t]*(.*)$`, "mi").exec(stanza)?.[1]?.trim().split(/\s+/) ?? [];
    const isOff = words("Enabled")[0]?.toLowerCase() === "no";
    if (!isOff && words("Suites").includes(codename) && words("Components").includes("main")) {
      const address = words("URIs").find(isAddress);
      if (address !== undefined) return address;
    }
  }
  return undefined;
}

function mirrorOfLines(text: string, codename: string): string | undefined {
  for (const line of text.split("\n")) {
    const [, address = "", suite, components = ""] =
      /^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+(.*)$/.exec(line.trim()) ?? [];
    if (suite === codename && components.split(/\s+/).includes("main") && isAddress(address))
      return address;
  }
  return undefined;
}

function isAddress(word: string): boolean {
  return /^[a-z][a-z+-]*:/.test(word) && !word.startsWith("cdrom:");
}
