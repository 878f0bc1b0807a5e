// The naming law: a channel or its provider is named only in its own app, its stand-in, and the schema's list of channels.
import type { Finding } from "./findings.ts";
import { namingExceptions, providers } from "./law-table.ts";
import type { Exception, Provider } from "./law-table.ts";
import { isCode, isTestCode } from "./tree.ts";
import type { Tree } from "./tree.ts";

/** Judges every file that ships: code, SQL, pages and styles. Tests may name what they test with, and documents are prose. */
export function checkNamingLaw(
  tree: Tree,
  exceptions: readonly Exception[] = namingExceptions,
): Finding[] {
  const used = new Set<string>();
  const findings = tree.files.filter(ships).flatMap((file) => {
    const found = providers
      .filter(({ homes }) => !homes.some((home) => file.startsWith(home)))
      .flatMap((provider) => namings({ tree, file, provider }));
    const exception = exceptions.find(
      ({ path }) => file === path || (path.endsWith("/") && file.startsWith(path)),
    );
    if (found.length > 0 && exception !== undefined) used.add(exception.path);
    return exception === undefined ? found : [];
  });
  const idle = exceptions.filter(({ path }) => !used.has(path));
  return [
    ...findings,
    ...idle.map(({ path }) => ({
      file: "scripts/check/law-table.ts",
      text: `the exception for ${path} is no longer needed: remove it`,
    })),
  ];
}

function ships(file: string): boolean {
  const inHouse = /^(apps|packages)\/.*\.([cm]?[jt]sx?|sql|css|html)$/.test(file);
  return inHouse && !isTestCode(file);
}

function namings(place: { tree: Tree; file: string; provider: Provider }): Finding[] {
  const { tree, file, provider } = place;
  const lines = tree
    .read(file)
    .split("\n")
    .flatMap((line, index) => {
      const name = provider.names.exec(line)?.[0];
      return name === undefined ? [] : [{ file, line: index + 1, text: refusal(name) }];
    });
  const inPath = provider.names.exec(file)?.[0];
  return [
    ...lines,
    ...codes(place),
    ...(inPath === undefined ? [] : [{ file, text: refusal(inPath) }]),
  ];
}

function codes(place: { tree: Tree; file: string; provider: Provider }): Finding[] {
  const { tree, file, provider } = place;
  if (isCode(file))
    return tree
      .source(file)
      .words.filter(({ word }) => provider.codes.includes(word))
      .map(({ word, line }) => ({ file, line, text: refusal(`"${word}"`) }));
  if (!file.endsWith(".sql")) return [];
  return tree
    .read(file)
    .split("\n")
    .flatMap((content, index) => {
      const code = provider.codes.find((known) => content.includes(`'${known}'`));
      return code === undefined ? [] : [{ file, line: index + 1, text: refusal(`'${code}'`) }];
    });
}

function refusal(name: string): string {
  return `${name} may be named only in its own app, its stand-in and the schema's list of channels`;
}
