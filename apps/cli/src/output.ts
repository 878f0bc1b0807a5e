// What a command prints: plain words for people, or JSON for programs; never both.

type Cell = string | number | boolean | null | undefined;

export class Output {
  readonly json: boolean;

  constructor(json: boolean) {
    this.json = json;
  }

  /** Prints the object with `--json`, else what `words` makes. */
  result(object: unknown, words: () => string): void {
    process.stdout.write(`${this.json ? JSON.stringify(object) : words()}\n`);
  }

  /** Prints a line for people; nothing with `--json`. */
  line(text: string): void {
    if (!this.json) process.stdout.write(`${text}\n`);
  }

  /** Prints to stderr, so that it never mixes with a result. */
  note(text: string): void {
    process.stderr.write(`${text}\n`);
  }
}

/** A table with aligned columns and a heading; `empty` when there are no rows. */
export function table(
  heading: readonly string[],
  rows: readonly (readonly Cell[])[],
  empty: string,
): string {
  if (rows.length === 0) return empty;
  const cells = [heading.map((text) => text.toUpperCase()), ...rows.map((row) => row.map(toText))];
  const widths = heading.map((_, column) =>
    Math.max(...cells.map((row) => (row[column] ?? "").length)),
  );
  return cells
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** Lines of `name  value`, the values aligned; empty values are left out. */
export function fields(entries: readonly (readonly [name: string, value: Cell])[]): string {
  const shown = entries.filter(
    ([, value]) => value !== null && value !== undefined && value !== "",
  );
  const width = Math.max(0, ...shown.map(([name]) => name.length));
  return shown.map(([name, value]) => `${name.padEnd(width)}  ${toText(value)}`).join("\n");
}

/** A moment on the person's own clock: `10:15:00`, with the date when it is not today. */
export function clock(iso: string): string {
  const moment = new Date(iso);
  const time = moment.toTimeString().slice(0, 8);
  return moment.toDateString() === new Date().toDateString()
    ? time
    : `${moment.getFullYear()}-${twoDigits(moment.getMonth() + 1)}-${twoDigits(moment.getDate())} ${time}`;
}

/** Text from outside without control characters, which could steer the terminal. */
export function printable(text: string): string {
  return text.replaceAll(/[^\P{Cc}\t\n]|[\u2028-\u202E\u2066-\u2069]/gu, " ");
}

function toText(cell: Cell): string {
  return cell === null || cell === undefined || cell === "" ? "-" : printable(String(cell));
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}
