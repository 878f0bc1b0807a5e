// What a check hands back: where something is wrong, and what to do about it.

/** One fault. `file` is relative to the repository's root; `line` is missing when the whole file is meant. */
export interface Finding {
  readonly file: string;
  readonly line?: number;
  readonly text: string;
}

/** One line for a person or an editor: `path:line  text`. */
export function printFinding({ file, line, text }: Finding): string {
  return line === undefined ? `${file}  ${text}` : `${file}:${line}  ${text}`;
}
