// One connection of the pool while it is in somebody's hands: statements that are given up in time, and whether it can be used again.
import type pg from "pg";
import { arrayLiteral } from "./array-literal.ts";
import { isAway } from "./not-now.ts";
import type { Queryable, Statement } from "./queryable.ts";

const silence = "Query read timeout";

export class Session implements Queryable {
  readonly #client: pg.PoolClient;
  readonly #answerWithinMs: number;
  #broken: Error | undefined;

  private constructor(client: pg.PoolClient, answerWithinMs: number) {
    this.#client = client;
    this.#answerWithinMs = answerWithinMs;
  }

  /** Takes a connection for as long as `work` takes, and gives it back, or ends it when it is of no further use. */
  static async use<Result>(
    pool: pg.Pool,
    answerWithinMs: number,
    work: (session: Session) => Promise<Result>,
  ): Promise<Result> {
    const client = await pool.connect();
    const session = new Session(client, answerWithinMs);
    // A connection lost between statements reports by event alone; unheard it would end the process.
    const onError = (error: Error) => session.break(error);
    client.on("error", onError);
    try {
      return await work(session);
    } finally {
      client.off("error", onError);
      client.release(session.#broken);
    }
  }

  /**
   * The callback is handed over with the statement, and the time limit is our own: one set later, as the driver does for
   * promises and for its own limit, keeps statement, values and answer alive through young collections (measured on Node 24:
   * each then takes ten times as long, and half of the garbage is left to the slow collector).
   */
  query<Row extends pg.QueryResultRow = pg.QueryResultRow>(
    statement: Statement,
  ): Promise<pg.QueryResult<Row>> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const error = new Error(silence);
        // The next statement would wait behind this one.
        this.break(error);
        reject(error);
      }, this.#answerWithinMs);
      this.#client.query<Row>(toPg(statement), (error: Error | null, result) => {
        clearTimeout(timer);
        if (error === null) return resolve(result);
        // A server that stops, or that is no longer the one to write to, must not be asked again on this connection.
        if (isAway(error)) this.break(error);
        reject(error);
      });
    });
  }

  /** It can't be used any more. */
  break(error: Error): void {
    this.#broken ??= error;
  }

  /** Whether nothing more can be asked of it. */
  get isBroken(): boolean {
    return this.#broken !== undefined;
  }
}

function toPg(statement: Statement): pg.QueryConfig {
  const values = (statement.values ?? []).map((value) =>
    Array.isArray(value) ? (arrayLiteral(value) ?? value) : value,
  );
  return statement.name === undefined
    ? { text: statement.text, values }
    : { text: statement.text, values, name: statement.name };
}
