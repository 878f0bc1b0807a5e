// The master key and the admin token: the operator's, else those in the data folder, made at the first start outside production.
import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

export interface Secrets {
  readonly masterKey: string;
  readonly adminToken: string;
}

const file = z.object({ masterKey: z.string().min(1), adminToken: z.string().min(1) });

/** Reads `secrets.json` of the data folder, or makes it (0600). What is given goes first; a file that can't be read is an error. */
export async function loadSecrets(
  dataDir: string,
  given: { masterKey: string | null; adminToken: string | null },
): Promise<Secrets> {
  const { masterKey, adminToken } = given;
  if (masterKey !== null && adminToken !== null) return { masterKey, adminToken };
  const kept = await keptSecrets(dataDir);
  return { masterKey: masterKey ?? kept.masterKey, adminToken: adminToken ?? kept.adminToken };
}

async function keptSecrets(dataDir: string): Promise<Secrets> {
  const path = join(dataDir, "secrets.json");
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  if (text !== null) return file.parse(JSON.parse(text));
  const made = {
    masterKey: `k1:${randomBytes(32).toString("base64")}`,
    adminToken: randomBytes(32).toString("base64url"),
  };
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  await writeFile(path, `${JSON.stringify(made, null, 2)}\n`, { mode: 0o600, flag: "wx" });
  return made;
}
