// What a command is: its words, its flags and what it does.
import type { HouseClient } from "./client.ts";
import type { CliConfig } from "./config.ts";
import type { Output } from "./output.ts";

export interface Flag {
  /** What stands for its value in the help; `null` for a switch without value. */
  readonly value: string | null;
  readonly about: string;
  readonly required?: boolean;
  /** Whether it may be given several times. */
  readonly many?: boolean;
}

export interface Context {
  readonly client: HouseClient;
  readonly config: CliConfig;
  readonly output: Output;
  /** The words after the command's name, in order. */
  readonly words: readonly string[];
  readonly flags: Flags;
  /** Aborts at Ctrl-C. */
  readonly signal: AbortSignal;
}

export interface Command {
  /** The words after the name, like `<slug>`. */
  readonly words: readonly string[];
  readonly about: string;
  readonly flags: Readonly<Record<string, Flag>>;
  /** Prints its result; throws `Problem`. May resolve to an exit code. */
  readonly run: (context: Context) => Promise<number | void>;
}

/** The flags as they were given. */
export class Flags {
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(values: ReadonlyMap<string, readonly string[]>) {
    this.#values = values;
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** The value, or `undefined`. */
  text(name: string): string | undefined {
    return this.#values.get(name)?.at(-1);
  }

  many(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }
}
