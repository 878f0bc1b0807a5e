// A mutation: one safeguard taken out of the code, the promise that then no longer holds, and the test that must go red.

export interface Mutation {
  readonly name: string;
  /** What the code no longer keeps. */
  readonly promise: string;
  readonly file: string;
  /** Stands exactly once in the file. */
  readonly find: string;
  readonly replace: string;
  /** The smallest tests that must fail: a file, and words of their names. */
  readonly test: string;
  readonly named?: string;
}
