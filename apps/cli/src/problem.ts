// A problem the person at the terminal can do something about.

/** Printed to stderr as it is; the command ends with exit code 1 (2 when the command itself was written wrongly). */
export class Problem extends Error {
  readonly exitCode: 1 | 2;

  constructor(message: string, exitCode: 1 | 2 = 1) {
    super(message);
    this.name = "Problem";
    this.exitCode = exitCode;
  }
}

/** The command was written wrongly. */
export function usageProblem(message: string): Problem {
  return new Problem(message, 2);
}
