// The house's own secrets: the operator's, else those in the data folder, made at the first start outside production.
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { z } from "zod";
import type { StandaloneConfig } from "./config.ts";
import { readText, writeSecretText } from "./files.ts";

export interface Secrets {
  readonly masterKey: string;
  readonly adminToken: string;
}

const secretsFile = z.object({ masterKey: z.string().min(1), adminToken: z.string().min(1) });

/** Reads the secrets; what the operator gave goes first. Outside production missing ones are made and kept in `secrets.json` (0600). */
export async function loadSecrets(config: StandaloneConfig): Promise<Secrets> {
  const path = join(config.dataDir, "secrets.json");
  const stored = await readStored(path);
  const made = stored ?? {
    masterKey: `k1:${randomBytes(32).toString("base64")}`,
    adminToken: randomBytes(32).toString("base64url"),
  };
  const secrets = {
    masterKey: config.masterKey ?? made.masterKey,
    adminToken: config.adminToken ?? made.adminToken,
  };
  const allGiven = config.masterKey !== null && config.adminToken !== null;
  if (stored === null && !allGiven)
    await writeSecretText(path, `${JSON.stringify(made, null, 2)}\n`);
  return secrets;
}

async function readStored(path: string): Promise<Secrets | null> {
  const text = await readText(path);
  if (text === null) return null;
  try {
    return secretsFile.parse(JSON.parse(text));
  } catch (error) {
    throw new Error(
      `${path} can't be read as the house's secrets. Restore it: without its master key nothing sealed in the database opens.`,
      { cause: error },
    );
  }
}
