// PostgreSQL refuses to run as root; this finds a way to run it without root's rights.
import { execFile } from "node:child_process";
import { lchown, lstat, readdir } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { serverEnvironment } from "./config.ts";

const run = promisify(execFile);
const NOBODY = 65_534;

/** A way to run a program, and who must own its files for it. */
export interface Identity {
  name: "plain" | "user namespace" | "nobody";
  prefix: string[];
  uid?: number;
  gid?: number;
  owner: number | undefined;
}

const PLAIN: Identity = { name: "plain", prefix: [], owner: undefined };

/** A user namespace in which whoever starts us is "nobody": a user that every machine's list of users has. */
const NAMESPACE = ["unshare", "-U", `--map-user=${NOBODY}`, `--map-group=${NOBODY}`];

/** Root only, in this order: the namespace needs no change of owner and reads all that root reads. */
export const ROOT_IDENTITIES: Identity[] = [
  { name: "user namespace", prefix: NAMESPACE, owner: 0 },
  { name: "nobody", prefix: [], uid: NOBODY, gid: NOBODY, owner: NOBODY },
];

/** For a user id without a name, as containers like to give: PostgreSQL insists on a name when it makes its data folder. */
const NAMELESS_IDENTITIES: Identity[] = [
  { name: "user namespace", prefix: NAMESPACE, owner: undefined },
];

/** What an identity has to be able to do. */
export interface IdentityNeeds {
  /** A program that must run under it when asked for its version. */
  binary: string;
  /** An existing folder it must be able to write into, once it owns it. */
  folder: string;
  /** The ways to try, in order. Default: what suits the user we run as. */
  candidates?: Identity[];
}

/** The first identity that works, with the folder handed to it. An error in plain words when none does. */
export async function chooseIdentity({
  binary,
  folder,
  candidates = identitiesHere(),
}: IdentityNeeds): Promise<Identity> {
  if (candidates.length === 0) return PLAIN;
  const reasons: string[] = [];
  for (const identity of candidates) {
    try {
      await attempt(identity, [binary, "--version"]);
      await giveFolder(folder, identity.owner);
      await attempt(identity, ["test", "-w", folder, "-a", "-x", folder]);
      return identity;
    } catch (error) {
      reasons.push(`${identity.name}: ${firstLine(error)}`);
    }
  }
  throw new Error(
    `PostgreSQL refuses to run as root or as a user without a name, and no way around that works on ${folder} (${reasons.join("; ")}). ` +
      "Start as an ordinary user, or give a running PostgreSQL in DATABASE_URL.",
  );
}

function identitiesHere(): Identity[] {
  if (process.getuid?.() === 0) return ROOT_IDENTITIES;
  try {
    userInfo();
    return [];
  } catch {
    return NAMELESS_IDENTITIES;
  }
}

/** The command line of `program` under `identity`. */
export function underIdentity(
  identity: Identity,
  program: string,
  args: string[],
): { command: string; args: string[] } {
  const [command = program, ...rest] = [...identity.prefix, program, ...args];
  return { command, args: rest };
}

async function attempt(identity: Identity, [program = "", ...rest]: string[]): Promise<void> {
  const { command, args } = underIdentity(identity, program, rest);
  const owner = identity.uid === undefined ? {} : { uid: identity.uid, gid: identity.gid };
  await run(command, args, { cwd: "/", env: serverEnvironment(), timeout: 10_000, ...owner });
}

/** Data made under another identity (an earlier start on another machine, for example) must change hands: PostgreSQL insists on it. */
async function giveFolder(path: string, owner: number | undefined): Promise<void> {
  if (owner === undefined) return;
  const entry = await lstat(path);
  const isFolder = entry.isDirectory();
  if (entry.uid === owner && !isFolder) return;
  if (entry.uid !== owner) await lchown(path, owner, owner);
  if (!isFolder) return;
  for (const name of await readdir(path)) await giveFolder(join(path, name), owner);
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return (
    text.split("\n").find((line) => line !== "" && !line.startsWith("Command failed")) ?? text
  ).trim();
}
