// What runs statements, whether a pool or one connection in a transaction.
import type pg from "pg";

/** Anything that runs one statement: the pool, or a client inside a transaction. */
export interface Queryable {
  query<Row extends pg.QueryResultRow = pg.QueryResultRow>(
    statement: Statement,
  ): Promise<pg.QueryResult<Row>>;
}

/** A statement; with a `name` it is prepared once per connection, for hot paths. */
export interface Statement {
  readonly text: string;
  readonly values?: readonly unknown[];
  readonly name?: string;
}
