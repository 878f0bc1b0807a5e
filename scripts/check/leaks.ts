// What must never be committed: secrets, the address of a package registry, a path or the name of the machine at hand.
import { execFileSync } from "node:child_process";
import { homedir, hostname } from "node:os";
import type { Finding } from "./findings.ts";
import { isTestCode } from "./tree.ts";
import type { Tree } from "./tree.ts";

interface Leak {
  readonly pattern: RegExp;
  readonly text: string;
  /** Tests invent secrets, to show that they never leak. */
  readonly allowedInTests?: true;
}

const leaks: readonly Leak[] = [
  { pattern: /-----BEGIN [A-Z ]*PRIVATE KEY-----/, text: "a private key" },
  { pattern: /\btk_live_[0-9A-Za-z]{36}\b/, text: "an API key of ours", allowedInTests: true },
  { pattern: /\bwhsec_[0-9A-Za-z+/]{43}=/, text: "a webhook secret", allowedInTests: true },
  { pattern: /\b\d{8,10}:[0-9A-Za-z_-]{35}\b/, text: "a bot token", allowedInTests: true },
  {
    pattern:
      // The provider's own documented example ends so.
      /\b(?:AKIA(?![0-9A-Z]{9}EXAMPLE)[0-9A-Z]{16}|gh[pousr]_[0-9A-Za-z]{36}|AIza[0-9A-Za-z_-]{35}|EAA[0-9A-Za-z]{60,})\b/,
    text: "a key of a cloud provider",
  },
  {
    pattern: /\b(?:sk-[0-9A-Za-z_-]{20,}|xox[abpr]-[0-9A-Za-z-]{10,}|npm_[0-9A-Za-z]{36})\b/,
    text: "a secret key",
  },
  {
    pattern:
      /\/\/[^\s/:@]+:(?!password@|secret@)[^\s/:@${}]{6,}@(?!127\.0\.0\.1|localhost)[a-z0-9.-]+/i,
    text: "an address with a password",
    allowedInTests: true,
  },
  {
    pattern:
      /\b(?:registry|mirror|proxy|artifacts?|nexus)\.[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:org|com|net|io|dev|internal|local)\b/i,
    text: "the host of a registry",
  },
  {
    pattern: /\b(?:deb|ftp|security|archive|ports)\.(?:debian|ubuntu)\.(?:org|com)\b/i,
    text: "the host of a distribution's packages",
  },
  {
    pattern: /(?<![\w.~}-])\/(?:home|Users|root|work|workspace|mnt|private)\/[\w.-]+/,
    text: "a path of one machine",
  },
  { pattern: /(?<![\w.~}-])\/tmp\/[\w.-]+/, text: "a path of one machine" },
];

/** Reads every committed text; `machine` holds what is only known here: the registry in use, this folder, this host. */
export function checkLeaks(
  tree: Tree,
  machine: readonly string[] = thisMachine(tree.root),
): Finding[] {
  const own = machine.map((text) => ({
    pattern: new RegExp(escape(text)),
    text: "a name of this machine",
  }));
  const found = tree.files.filter(isText).flatMap((file) => {
    const relevant = [...leaks, ...own].filter(
      (leak) => !("allowedInTests" in leak) || !isTestCode(file),
    );
    return tree
      .read(file)
      .split("\n")
      .flatMap((content, index) =>
        relevant
          .filter(({ pattern }) => pattern.test(content))
          .map(({ text }) => ({ file, line: index + 1, text: `${text} must not be committed` })),
      );
  });
  return [...found, ...lockfileAddresses(tree)];
}

/** A lockfile with download addresses works only where it was made. */
function lockfileAddresses(tree: Tree): Finding[] {
  const file = "pnpm-lock.yaml";
  if (!tree.files.includes(file)) return [];
  return tree
    .read(file)
    .split("\n")
    .flatMap((content, index) =>
      /\btarball:|^\s*registry:/.test(content)
        ? [{ file, line: index + 1, text: "a download address must not be in the lockfile" }]
        : [],
    );
}

/** Texts that only this machine would write, as far as they are telling. */
export function thisMachine(root: string): string[] {
  const host = hostOf(configuredRegistry(root));
  const names = [root, homedir(), hostname(), ...(host === undefined ? [] : [host])];
  return names.filter((name) => name.length > 6);
}

function configuredRegistry(root: string): string {
  try {
    return execFileSync("npm", ["config", "get", "registry"], {
      cwd: root,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    // Without npm there is no registry to give away.
    return "";
  }
}

function hostOf(address: string): string | undefined {
  return URL.canParse(address) ? new URL(address).hostname : undefined;
}

function isText(file: string): boolean {
  return !/\.(png|jpe?g|gif|webp|ico|woff2?|ttf|mp4|ogg|pdf|zip|gz)$/i.test(file);
}

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
