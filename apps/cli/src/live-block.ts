// Lines at the end of a terminal that are written anew in their place; where there is no terminal, each time below.

export interface Screen {
  readonly isTTY?: boolean;
  readonly rows?: number;
  write(text: string): unknown;
}

export class LiveBlock {
  readonly #screen: Screen;
  #lines: readonly string[] = [];

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  /** Shows these lines in the place of the last ones. */
  show(lines: readonly string[]): void {
    if (lines.join("\n") === this.#lines.join("\n")) return;
    this.clear();
    this.#lines = lines;
    this.#screen.write(`${lines.join("\n")}\n`);
  }

  /** Takes them away; what was written where there is no terminal stays. */
  clear(): void {
    if (this.#screen.isTTY === true && this.#lines.length > 0) {
      // What has left the window at its top can't be reached any more.
      const tooHigh = this.#lines.length >= (this.#screen.rows ?? Number.POSITIVE_INFINITY);
      this.#screen.write(tooHigh ? "\u001B[2J\u001B[H" : `\u001B[${this.#lines.length}A\u001B[J`);
    }
    this.#lines = [];
  }
}
