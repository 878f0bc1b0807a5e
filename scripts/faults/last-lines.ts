// The last lines that processes wrote, for whoever looks for the cause of a failed scene.

const kept = 200;
const longest = 600;

export class LastLines {
  readonly #lines: string[] = [];

  keep(text: string): void {
    this.#lines.push(text.trim().slice(0, longest));
    if (this.#lines.length > 2 * kept) this.#lines.splice(0, kept);
  }

  text(): string {
    return this.#lines.slice(-kept).join("\n");
  }
}
