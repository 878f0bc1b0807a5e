// PostgreSQL and nats-server kept running: whenever one ends unasked it is started again, on the same address.
import { Keeper } from "./keeper.ts";
import { natsPassword, startNats } from "./nats.ts";
import type { NatsOptions } from "./nats.ts";
import { startPostgres } from "./postgres.ts";
import type { PostgresOptions } from "./postgres.ts";
import type { Exit } from "./supervised.ts";

/** A server that comes back; `keeper.stop` ends it for good. */
export interface KeptServer {
  readonly keeper: Keeper;
  /** Its address with user and password, the same after each start. Not for logs. */
  readonly url: string;
}

/** Gets one line whenever a server ended unasked or could not be started. */
export type Say = (line: string) => void;

/** Starts PostgreSQL and keeps it running. Rejects when the first start fails. */
export function keepPostgres(options: PostgresOptions, say: Say): Promise<KeptServer> {
  return keep({ name: "postgres", say, start: (port) => startPostgres({ ...options, port }) });
}

/** Starts nats-server and keeps it running. Rejects when the first start fails. */
export function keepNats(options: NatsOptions, say: Say): Promise<KeptServer> {
  const password = options.password ?? natsPassword();
  const start = (port: number | undefined) => startNats({ ...options, password, port });
  return keep({ name: "nats-server", say, start });
}

interface Started {
  readonly url: string;
  readonly pid: number;
  readonly exited: Promise<Exit>;
  stop(): Promise<void>;
}

interface Keeping {
  readonly name: string;
  readonly say: Say;
  /** Without a port: on a free one. */
  readonly start: (port: number | undefined) => Promise<Started>;
}

async function keep({ name, say, start }: Keeping): Promise<KeptServer> {
  let url: string | null = null;
  const keeper = new Keeper({
    name,
    say,
    launch: async () => {
      const server = await start(url === null ? undefined : Number(new URL(url).port));
      url = server.url;
      return { pid: server.pid, exited: server.exited.then(howItEnded), stop: () => server.stop() };
    },
  });
  await keeper.start();
  return { keeper, url: url ?? "" };
}

function howItEnded({ code, signal }: Exit): string {
  return `ended (${signal ?? `exit code ${code}`})`;
}
