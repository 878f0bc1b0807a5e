// Keeps phones, devices, ratchets and what waits for delivery in one file, so that linked devices outlive a restart.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { BufferJSON } from "@whiskeysockets/baileys";
import { z } from "zod";
import type { GroupState, PhoneState } from "./phones.ts";
import type { Trust } from "./trust.ts";

export interface StoredState {
  trust: Trust;
  phones: PhoneState[];
  groups: GroupState[];
}

/** The stand-in wrote it itself, so only its outline is checked. */
const isObject = (value: unknown): boolean => typeof value === "object" && value !== null;
const storedState = z.object({
  trust: z.custom<Trust>(isObject, "This is no state of a stand-in."),
  phones: z.array(z.custom<PhoneState>(isObject)),
  groups: z.array(z.custom<GroupState>(isObject)),
});

const WRITE_AFTER_MS = 250;

/** The file of one stand-in. Without a path nothing is kept. */
export class StateFile {
  readonly #path: string | undefined;
  #read: (() => StoredState) | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(path: string | undefined) {
    this.#path = path;
  }

  /** What was kept; null when there is nothing. Throws when the file is no state. */
  load(): StoredState | null {
    if (this.#path === undefined || !existsSync(this.#path)) return null;
    const stored: unknown = JSON.parse(readFileSync(this.#path, "utf8"), BufferJSON.reviver);
    return storedState.parse(stored);
  }

  /** From now on this is what is written. */
  keep(read: () => StoredState): void {
    this.#read = read;
  }

  /** Says that something changed: it is on disk a moment later. */
  touch(): void {
    if (this.#path === undefined || this.#timer !== null) return;
    this.#timer = setTimeout(() => this.write(), WRITE_AFTER_MS);
    this.#timer.unref();
  }

  /** Writes at once. It holds private keys, so only its owner can read it. */
  write(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#path === undefined || this.#read === null) return;
    mkdirSync(dirname(this.#path), { recursive: true });
    const text = JSON.stringify(this.#read(), BufferJSON.replacer);
    writeFileSync(`${this.#path}.new`, text, { mode: 0o600 });
    renameSync(`${this.#path}.new`, this.#path);
  }
}
