// Rules on sending and on what goes wrong: errors, crashes, credentials, secrets, an account used twice.
import { ConnectionFault } from "@thikaa/connector-kit";
import type { ConnectedAccount } from "@thikaa/connector-kit";
import { createMemoryContext } from "../memory-context.ts";
import { demand, demandEqual } from "../rule.ts";
import type { Bench, Rule } from "../rule.ts";
import type { Ground, GroundConnection } from "../ground.ts";
import type { ProviderAccount, ProviderError } from "../harness.ts";
import { deferred } from "../../waiting.ts";

export const lifeRules: readonly Rule[] = [
  {
    name: "each error of the provider maps to its class",
    on: "bench",
    where: "connected-account.ts, ConnectedAccount.send; connector.ts, Connector.connect",
    check: checkErrors,
  },
  {
    name: "a crash between receive and commit loses nothing",
    on: "house",
    where: "connected-account.ts, PollingFacet.committed; context.ts, ConnectorContext.received",
    check: checkReceiveCrash,
  },
  {
    name: "a crash between parts repeats none",
    on: "house",
    where: "connector.ts, Connector.plan; connected-account.ts, ConnectedAccount.send",
    check: checkPartsCrash,
  },
  {
    name: "an account belongs to one connection, and the second one takes nothing away",
    on: "house",
    where: "context.ts, ConnectorContext.identify",
    check: checkIdentity,
  },
  {
    name: "what is switched off goes on later by itself, and what is removed leaves nothing",
    on: "house",
    where: "connector.ts, Connector.retire",
    check: checkRetiring,
  },
  {
    name: "secrets never stand in logs, states or attempts",
    on: "house",
    where: "context.ts, ConnectorLog; faults.ts, FaultOptions.reason",
    check: checkSecrets,
  },
];

const mustBeProvoked: readonly ProviderError["means"][] = [
  "throttled",
  "unavailable",
  "uncertain",
  "rejected",
  "unauthorized",
];

async function checkErrors(bench: Bench): Promise<void> {
  const names = bench.provider.addAccount().errors.map(({ name }) => name);
  for (const name of names) await checkError(bench, name);
  const provoked = bench.provider.addAccount().errors.map(({ means }) => means);
  for (const each of mustBeProvoked)
    demand(provoked.includes(each), `The harness provokes no error that means '${each}'.`);
  await checkRefusedCredentials(bench);
}

/** Each at an account of its own: some errors do not pass. */
async function checkError(bench: Bench, name: string): Promise<void> {
  const provided = bench.provider.addAccount();
  const error = provided.errors.find((each) => each.name === name);
  demand(error !== undefined, `The harness's account has no error '${name}' any more.`);
  const context = createMemoryContext({
    baseUrl: bench.provider.url,
    credentials: provided.credentials,
  });
  const account = await bench.harness.connector.connect(context);
  try {
    error.provoke();
    const outcome = await sendOne(bench, account, provided);
    demandEqual(outcome.class, error.means, `The provider's error "${name}" has the wrong class.`);
    if (outcome.class === "sent") return;
    demand(
      /^[a-z][a-z_]+$/.test(outcome.reason.code) && outcome.reason.message.length > 10,
      `The error "${name}" needs a reason: a code in small letters, and plain words.`,
    );
    demand(
      outcome.class !== "throttled" || outcome.retryAfterMs > 0,
      `The error "${name}" must say how long to wait.`,
    );
  } finally {
    context.end();
    await account.disconnect();
  }
}

async function sendOne(bench: Bench, account: ConnectedAccount, { people: [to] }: ProviderAccount) {
  const messageId = "00000000-0000-7000-8000-000000000002";
  const content = { text: "hello", media: null };
  const [part] = bench.harness.connector.plan({ to, content, messageId });
  demand(part !== undefined, "Plan made no part of a short text.");
  return account.send({ to, part, partCount: 1, messageId });
}

async function checkRefusedCredentials({ harness, provider }: Bench): Promise<void> {
  const context = createMemoryContext({
    baseUrl: provider.url,
    credentials: provider.wrongCredentials,
  });
  const opening = await harness.connector.connect(context).then(
    () => null,
    (error: unknown) => error,
  );
  context.end();
  demand(
    opening instanceof ConnectionFault && opening.state === "attention",
    "Credentials that the provider refuses need a person: connect must throw a ConnectionFault of state 'attention'.",
  );
}

async function checkReceiveCrash(ground: Ground): Promise<void> {
  const { account, connection } = await ground.connected();
  const [person] = account.people;
  account.says(person, "before");
  await untilTexts(ground, connection, ["before"]);
  const unlock = await lockItems(ground);
  account.says(person, "in the middle");
  await ground.until("what came in to wait for its commit", () => isWaiting(ground));
  await ground.crash();
  await unlock();
  await ground.start();
  account.says(person, "after");
  await untilTexts(ground, connection, ["after"]);
  demand(
    (await ground.texts(connection)).includes("in the middle"),
    "A message was acknowledged before it was committed: the process died in between, and the provider did not give it again.",
  );
}

/** Nothing that comes in can be stored until it is unlocked. */
async function lockItems(ground: Ground): Promise<() => Promise<void>> {
  const [locked, unlocking] = [deferred(), deferred()];
  const done = ground.database.transaction(async (transaction) => {
    await transaction.query({ text: "LOCK TABLE inbound_items IN ACCESS EXCLUSIVE MODE" });
    locked.resolve();
    await unlocking.promise;
  });
  await locked.promise;
  return async () => {
    unlocking.resolve();
    await done;
  };
}

async function isWaiting({ database }: Ground): Promise<boolean> {
  const { rowCount } = await database.query({
    text: `SELECT 1 FROM pg_locks l JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()
           WHERE NOT l.granted AND l.relation = 'inbound_items'::regclass`,
  });
  return rowCount !== 0;
}

async function checkPartsCrash(ground: Ground): Promise<void> {
  const { account, connection } = await ground.connected();
  const limit = ground.harness.connector.capabilities[ground.harness.channel]?.text?.maxLength ?? 0;
  const text = wordsOf(limit * 2 + Math.ceil(limit / 2));
  const [person] = account.people;
  account.refuseAfter(1);
  const id = await ground.queue(connection, person, text);
  await ground.until("the first part to arrive and the second to be refused", async () => {
    const { rows } = await ground.database.query<{ outcome: string | null }>({
      text: "SELECT outcome FROM attempts WHERE subject_id = $1 ORDER BY id",
      values: [id],
    });
    return rows[0]?.outcome === "sent" && rows[1]?.outcome === "unavailable";
  });
  await ground.crash();
  // What was refused would wait a second.
  await ground.database.query({ text: "UPDATE send_queue SET due_at = now()" });
  await ground.start();
  await ground.untilStatus(id, "sent");
  const got = account.got(person).map((message) => message.text);
  demandEqual(
    { words: got.join(" ").split(/\s+/).length },
    { words: text.split(" ").length },
    `The person got ${got.length} messages that do not make the text once: a retry sends the part it is given and nothing else.`,
  );
  demandEqual(got.join(" ").split(/\s+/), text.split(" "), "The parts did not arrive in order.");
}

/** Different words, so that each one missing, doubled or moved is seen. */
function wordsOf(length: number): string {
  const words: string[] = [];
  for (let n = 1, size = 0; size < length; n++) {
    words.push(`w${n}`);
    size += `w${n}`.length + 1;
  }
  return words.join(" ");
}

async function checkIdentity(ground: Ground): Promise<void> {
  const { account, connection } = await ground.connected();
  const second = await ground.connect(account.credentials);
  const { state, reason } = await ground.settledState(second);
  demandEqual(
    { state, reason: reason?.code ?? null },
    { state: "attention", reason: "account_in_use" },
    "A second connection of the same account must say that it is in use.",
  );
  account.says(account.people[0], "for the first");
  await untilTexts(ground, connection, ["for the first"]);
  demandEqual(await ground.texts(second), [], "The second connection took what was for the first.");
}

async function checkRetiring(ground: Ground): Promise<void> {
  const { account, connection } = await ground.connected();
  const links = account.phone?.links() ?? 0;
  await ground.want(connection, "off");
  await ground.untilState(connection, "off");
  demandEqual(account.phone?.links() ?? 0, links, "Switched off, it unlinked its phone.");
  await ground.want(connection, "on");
  await ground.untilState(connection, "connected");
  const [person] = account.people;
  await ground.untilStatus(await ground.queue(connection, person, "on again"), "sent");
  await ground.want(connection, "removed");
  await ground.untilState(connection, "off");
  demandEqual(account.phone?.links() ?? 0, 0, "It is removed, and the phone still lists it.");
  const { rows } = await ground.database.query<{ key: string }>({
    text: "SELECT key FROM connector_state WHERE connection_id = $1",
    values: [connection.id],
  });
  demandEqual(rows, [], "It is removed, and state of it is kept.");
}

async function checkSecrets(ground: Ground): Promise<void> {
  const { account, connection } = await ground.connected();
  const wrong = await ground.connect(ground.provider.wrongCredentials);
  await ground.untilState(wrong, "attention");
  const [person] = account.people;
  account.says(person, "hello");
  await untilTexts(ground, connection, ["hello"]);
  await ground.untilStatus(await ground.queue(connection, person, "hello"), "sent");
  const refusal = account.errors.find(({ means }) => means === "unauthorized");
  refusal?.provoke();
  await ground.queue(connection, person, "refused");
  await ground.untilState(connection, "attention");
  const secrets = [
    ...secretsOf(ground, account.credentials),
    ...secretsOf(ground, ground.provider.wrongCredentials),
    connection.webhookSecret,
    wrong.webhookSecret,
  ];
  for (const [place, text] of await everythingSaid(ground))
    for (const secret of secrets)
      demand(
        !text.includes(secret),
        `A secret stands in ${place}: ${text.replaceAll(secret, "<the secret>").slice(0, 300)}`,
      );
}

function secretsOf({ harness }: Ground, credentials: ProviderAccount["credentials"]): string[] {
  return harness.connector.credentials.fields
    .filter(({ secret }) => secret)
    .flatMap(({ name }) => credentials[name] ?? []);
}

/** Every line of the log, and every row that people or logs may see. */
async function everythingSaid(ground: Ground): Promise<[place: string, text: string][]> {
  const tables = [
    "connections",
    "attempts",
    "messages",
    "parts",
    "connector_state",
    "inbound_items",
  ];
  const rows = await Promise.all(
    tables.map(async (table) => {
      const found = await ground.database.query<{ row: string }>({
        text: `SELECT to_jsonb(t)::text AS row FROM ${table} t`,
      });
      return found.rows.map(({ row }): [string, string] => [`the table ${table}`, row]);
    }),
  );
  return [...ground.logLines.map((line): [string, string] => ["the log", line]), ...rows.flat()];
}

async function untilTexts(
  ground: Ground,
  connection: GroundConnection,
  wanted: readonly string[],
): Promise<void> {
  await ground.until(`${wanted.join(", ")} to come in`, async () => {
    const texts = await ground.texts(connection);
    return wanted.every((text) => texts.includes(text));
  });
}
