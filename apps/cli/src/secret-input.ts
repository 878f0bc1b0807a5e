// Takes a secret so that it stays out of shell history and process lists: from stdin, from a file, or asked for without echo.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Interface } from "node:readline";
import { Writable } from "node:stream";
import { Problem } from "./problem.ts";

/** Reads values for `--set field=-` and `--set field=@file`; several `-` take one line each. */
export class SecretInput {
  #lines: AsyncIterator<string> | null = null;

  /** The value behind what was written after `field=`. */
  async resolve(field: string, written: string): Promise<string> {
    if (written === "-")
      return process.stdin.isTTY ? this.ask(`${field}: `) : this.#nextLine(field);
    if (written.startsWith("@")) return readSecretFile(field, written.slice(1));
    return written;
  }

  /** Asks on the terminal; what is typed is not shown. */
  async ask(question: string): Promise<string> {
    process.stderr.write(question);
    const silent = new Writable({ write: (_piece, _encoding, done) => done() });
    const reader = createInterface({ input: process.stdin, output: silent, terminal: true });
    try {
      return await nextAnswer(reader);
    } finally {
      reader.close();
      process.stderr.write("\n");
    }
  }

  async #nextLine(field: string): Promise<string> {
    this.#lines ??= createInterface({ input: process.stdin })[Symbol.asyncIterator]();
    const next = await this.#lines.next();
    if (next.done === true) throw new Problem(`Nothing came on stdin for '${field}'.`);
    return next.value.trim();
  }
}

function nextAnswer(reader: Interface): Promise<string> {
  return new Promise((resolve, reject) => {
    reader.once("line", (line) => resolve(line.trim()));
    reader.once("SIGINT", () => reject(new Problem("Stopped; nothing was changed.")));
    reader.once("close", () => reject(new Problem("Nothing was typed; nothing was changed.")));
  });
}

function readSecretFile(field: string, path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    throw new Problem(`The file '${path}' for '${field}' can't be read.`);
  }
}
