// Programs of the bench in processes of their own, asked and answered by messages.
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { join } from "node:path";
import { z } from "zod";

export type Question = { readonly ask: string } & Readonly<Record<string, unknown>>;

const asked = z.looseObject({ n: z.number(), ask: z.string() });
const answered = z.object({
  n: z.number(),
  answer: z.unknown().optional(),
  error: z.string().optional(),
});

/** One such program. */
export class Child {
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #asked = 0;

  /** `file` lies in this folder. */
  constructor(file: string, rest: readonly string[] = []) {
    this.#process = fork(join(import.meta.dirname, file), [...rest], {
      execArgv: ["--disable-warning=ExperimentalWarning", "--conditions=source", "--expose-gc"],
    });
    this.#process.on("message", (message) => {
      const { n, answer, error } = answered.parse(message);
      if (error === undefined) this.#waiting.get(n)?.resolve(answer);
      else this.#waiting.get(n)?.reject(new Error(`${file}: ${error}`));
      this.#waiting.delete(n);
    });
    this.#process.once("exit", () => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`${file} has ended.`));
    });
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** Rejects when the program does, or when it ends. */
  async ask<Answer>(question: Question, shape: z.ZodType<Answer>): Promise<Answer> {
    const n = ++this.#asked;
    const waiting = Promise.withResolvers<unknown>();
    this.#waiting.set(n, waiting);
    this.#process.send({ ...question, n });
    return shape.parse(await waiting.promise);
  }

  async stop(): Promise<void> {
    this.#waiting.clear();
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    this.#process.kill();
    await ended;
  }
}

/** In such a program: answers whoever started it, and ends with them. */
export function answerQuestions(
  answers: Readonly<Record<string, (question: unknown) => unknown>>,
): void {
  process.on("message", (message) => {
    const { n, ...question } = asked.parse(message);
    Promise.resolve(answers[question.ask]?.(question)).then(
      (answer) => process.send?.({ n, answer }),
      (error: unknown) => process.send?.({ n, error: String(error) }),
    );
  });
  process.once("disconnect", () => process.exit(0));
}
