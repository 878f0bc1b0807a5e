// The master key as the operator writes it, and the keys for one purpose each that derive from it.
import { createSecretKey, hkdfSync, randomBytes } from "node:crypto";
import type { KeyObject } from "node:crypto";

/** One master key: its name, and what may be made of it. */
export interface MasterKey {
  readonly id: string;
  /** A key that is good for this purpose alone: it tells nothing of the master key, nor of another purpose's. */
  derive(purpose: string): KeyObject;
}

const howToWriteMasterKey =
  "THIKAA_MASTER_KEY must be 'id:base64' with 32 bytes in base64, like the output of: echo \"k1:$(openssl rand -base64 32)\"";

/** A new master key in the form that `Vault` takes. */
export function newMasterKey(id = "k1"): string {
  return `${id}:${randomBytes(32).toString("base64")}`;
}

/** Reads one or more, separated by commas; at least one, in the order given. Throws with how to write it. */
export function parseMasterKeys(text: string): [MasterKey, ...MasterKey[]] {
  const [first, ...rest] = text.split(",").map(parseMasterKey);
  if (first === undefined) throw new Error(howToWriteMasterKey);
  return [first, ...rest];
}

function parseMasterKey(text: string): MasterKey {
  const [, id, encoded] = /^([a-z0-9]{1,16}):([A-Za-z0-9+/_=-]{40,})$/.exec(text.trim()) ?? [];
  const bytes = Buffer.from(encoded ?? "", "base64");
  if (id === undefined || bytes.length !== 32) throw new Error(howToWriteMasterKey);
  const master = createSecretKey(bytes);
  return {
    id,
    derive: (purpose) => createSecretKey(Buffer.from(hkdfSync("sha256", master, "", purpose, 32))),
  };
}
