// Rules on what comes in: people's ids, repeats, many stores at once, echoes, unknown kinds, signatures.
import { cleanRecipient } from "@thikaa/schema";
import type { Converted, InboundReceipt } from "@thikaa/schema";
import { BrokenRule, demand, demandEqual } from "../rule.ts";
import type { Rule } from "../rule.ts";
import type { Ground, GroundConnection } from "../ground.ts";
import type { OwnPayload, ProviderAccount } from "../harness.ts";

export const inboundRules: readonly Rule[] = [
  {
    name: "ids round-trip: an answer to `from` reaches the person who wrote",
    on: "house",
    where: "connector.ts, Connector.convert; schema's InboundMessage.from",
    check: checkIds,
  },
  {
    name: "the same payload twice gives one message, and two messages of one text give two",
    on: "posted house",
    where: "raw-item.ts, RawItem.key",
    check: checkRepeats,
  },
  {
    name: "what comes for many stores, and many at once, arrives whole, in order and at its own",
    on: "posted house",
    where: "connector.ts, WebhookFacet.split; raw-item.ts, RawItem.thread",
    check: checkBatches,
  },
  {
    name: "one body for many accounts: each message is stored at its own, and a stranger's is kept",
    on: "posted house",
    where: "raw-item.ts, RawItem.account",
    appliesTo: ({ mixed }) => mixed !== undefined,
    check: checkMixed,
  },
  {
    name: "what our own account wrote is never a customer's message, and is known by its id",
    on: "posted house",
    where: "connector.ts, Connector.convert; schema's OwnMessage",
    check: checkEchoes,
  },
  {
    name: "receipts name the message that they tell of",
    on: "posted house",
    where: "connector.ts, Connector.convert; schema's InboundReceipt",
    appliesTo: ({ connector, channel }) => connector.capabilities[channel]?.receipts !== "none",
    check: checkReceipts,
  },
  {
    name: "unknown payloads are kept whole",
    on: "posted house",
    where: "connector.ts, Connector.convert and WebhookFacet.split",
    check: checkUnknown,
  },
  {
    name: "a post that is not the provider's is answered 401 and stores nothing",
    on: "posted house",
    where: "connector.ts, WebhookFacet.verify",
    appliesTo: ({ connector }) => connector.webhook !== undefined,
    check: checkSignatures,
  },
];

async function checkIds(ground: Ground): Promise<void> {
  const { account, connection } = await ground.connected();
  for (const [index, person] of account.people.entries()) {
    const said = `who am I, ${index}`;
    account.says(person, said);
    await ground.until(`"${said}" to come in`, async () =>
      (await ground.texts(connection)).includes(said),
    );
    const from = await whoSaid(ground, connection, said);
    demandEqual(from, person, "`from` is not the form in which the person is addressed.");
    const cleaned = cleanRecipient(ground.harness.channel, from);
    demandEqual(
      cleaned,
      { ok: true, to: from },
      "`from`, put into `send` as `to`, is changed or refused by the schema's rules for this channel.",
    );
    const answer = `you are the one, ${index}`;
    await ground.untilStatus(await ground.queue(connection, from, answer), "sent");
    await checkAnswered({ ground, account, connection }, { person, answer });
  }
}

async function checkAnswered(
  {
    ground,
    account,
    connection,
  }: { ground: Ground; account: ProviderAccount; connection: GroundConnection },
  { person, answer }: { person: string; answer: string },
): Promise<void> {
  const got = account.got(person).find(({ text }) => text === answer);
  demand(got !== undefined, "An answer to `from` was sent but did not reach the person who wrote.");
  const { rows } = await ground.database.query({
    text: "SELECT 1 FROM parts WHERE connection_id = $1 AND address = $2 AND provider_message_id = $3",
    values: [connection.id, person, got.providerMessageId],
  });
  demand(
    rows.length === 1,
    `The provider calls the message "${got.providerMessageId}", but the outcome named another id: receipts and replies would not find it.`,
  );
}

async function whoSaid(
  ground: Ground,
  connection: GroundConnection,
  text: string,
): Promise<string> {
  for (const { converted } of await ground.items(connection))
    if (converted.kind === "message" && converted.text === text) return converted.from;
  throw new BrokenRule(`"${text}" did not come in as a message.`);
}

async function checkRepeats(ground: Ground): Promise<void> {
  const here = await ground.connected();
  const { account, connection } = here;
  const [person] = account.people;
  const body = account.payloads.message(person, "said once");
  await ground.bring(here, body);
  await ground.bring(here, body);
  await Promise.all([ground.bring(here, body), ground.bring(here, body)]);
  for (const _ of [1, 2]) await ground.bring(here, account.payloads.message(person, "said twice"));
  await ground.bring(here, account.payloads.message(person, "the end"));
  await untilText(ground, connection, "the end");
  const texts = await ground.texts(connection);
  demandEqual(
    texts.filter((text) => /^(said|the end)/.test(text)),
    ["said once", "said twice", "said twice", "the end"],
    "A payload is known by its key: the same in each repeat, another one in each message.",
  );
}

async function checkBatches(ground: Ground): Promise<void> {
  const one = await ground.connected();
  const other = ground.provider.addAccount();
  const second = { account: other, connection: await ground.connect(other.credentials) };
  await ground.untilState(second.connection, "connected");
  for (const n of [1, 2, 3, 4, 5])
    for (const here of [one, second])
      for (const person of here.account.people)
        await ground.bring(here, here.account.payloads.message(person, `${person}: ${n}`));
  for (const here of [one, second]) await checkAllCame(ground, here);
}

async function checkAllCame(
  ground: Ground,
  here: { account: ProviderAccount; connection: GroundConnection },
): Promise<void> {
  const { account, connection } = here;
  const { batch, message } = account.payloads;
  const [first, last] = account.people;
  const batched = batch === undefined ? [] : [`${first}: 6`, `${first}: 7`, `${first}: 8`];
  if (batch !== undefined) await ground.bring(here, batch(first, batched));
  await ground.bring(here, message(first, "the end"));
  await untilText(ground, connection, "the end");
  const texts = await ground.texts(connection);
  const said = (person: string) => [1, 2, 3, 4, 5].map((n) => `${person}: ${n}`);
  demandEqual(
    texts.filter((text) => text.startsWith(`${first}: `)),
    [...said(first), ...batched],
    "Each connection gets every message of its own people, in order, also those that came in one body.",
  );
  demandEqual(
    texts.filter((text) => text.startsWith(`${last}: `)),
    said(last),
    "Each connection gets what is its own once, and in order.",
  );
}

async function checkMixed(ground: Ground): Promise<void> {
  const one = await ground.connected();
  const other = ground.provider.addAccount();
  const second = await ground.connect(other.credentials);
  await ground.untilState(second, "connected");
  const said = [
    { address: one.account.address, person: one.account.people[0], text: "for the first" },
    { address: other.address, person: other.people[0], text: "for the second" },
    { address: "an account that nobody has", person: one.account.people[0], text: "for nobody" },
    { address: one.account.address, person: one.account.people[0], text: "for the first again" },
  ];
  const { body, headers } = ground.harness.mixed?.(said) ?? { body: "", headers: {} };
  demandEqual(
    await ground.post(one.connection, body, headers),
    200,
    "A body of many accounts must be answered 200, also when a stranger's message is in it.",
  );
  demandEqual(
    [await ground.texts(one.connection), await ground.texts(second)].map((texts) =>
      texts.filter((text) => text.startsWith("for ")),
    ),
    [["for the first", "for the first again"], ["for the second"]],
    "Each message belongs to the account that it names.",
  );
  const kept = await ground.unrouted(one.connection);
  demand(
    kept.some((raw) => raw.includes("for nobody")),
    "A message to an account that nobody has was answered as received, but is kept nowhere.",
  );
}

async function checkEchoes(ground: Ground): Promise<void> {
  const here = await ground.connected();
  const { account, connection } = here;
  for (const { body } of account.payloads.own) await ground.bring(here, body);
  await ground.bring(here, account.payloads.message(account.people[0], "a customer"));
  await untilText(ground, connection, "a customer");
  demandEqual(
    (await ground.texts(connection)).filter((text) =>
      account.payloads.own.some((own) => own.text === text),
    ),
    [],
    "What the account itself wrote was taken for a customer's message: the store's bot would answer itself.",
  );
  const items = await ground.items(connection);
  for (const own of account.payloads.own)
    demand(
      items.some(({ converted }) => isOwn(converted, own)),
      `What the account wrote must be of kind 'own', or a receipt, with the id "${own.providerMessageId}" and to "${own.to}": else it can't be known as what was sent through us.`,
    );
}

function isOwn(converted: Converted, { to, text, providerMessageId }: OwnPayload): boolean {
  if (converted.kind === "receipt") return isReceiptOf(converted, { to, providerMessageId });
  return (
    converted.kind === "own" &&
    converted.provider_message_id === providerMessageId &&
    converted.to === to &&
    converted.text === text
  );
}

function isReceiptOf(
  receipt: InboundReceipt,
  { to, providerMessageId }: { to: string; providerMessageId: string },
): boolean {
  return (
    receipt.provider_message_ids.includes(providerMessageId) &&
    (receipt.to === null || receipt.to === to)
  );
}

async function checkReceipts(ground: Ground): Promise<void> {
  const here = await ground.connected();
  const { account, connection } = here;
  const { receipt, message } = account.payloads;
  demand(
    receipt !== undefined,
    "Capabilities name receipts: the harness must say how the provider reports them.",
  );
  const [person] = account.people;
  await ground.untilStatus(await ground.queue(connection, person, "did it arrive?"), "sent");
  const providerMessageId = account.got(person).at(-1)?.providerMessageId ?? "";
  for (const status of ["delivered", "read"] as const)
    await ground.bring(here, receipt({ person, providerMessageId, status }));
  await ground.bring(here, message(person, "the end"));
  await untilText(ground, connection, "the end");
  const told = (await ground.items(connection)).flatMap(({ converted }) =>
    converted.kind === "receipt" && isReceiptOf(converted, { to: person, providerMessageId })
      ? [converted.status]
      : [],
  );
  demandEqual(
    told,
    ["delivered", "read"],
    `Of the message that the outcome called "${providerMessageId}" the provider reported that it was delivered, then read.`,
  );
}

const unreadable = ["", "null", "[]", "{}", '"text"', "no json at all", "\u0000\u0001", '{"half":'];

async function checkUnknown(ground: Ground): Promise<void> {
  const here = await ground.connected();
  const { account, connection } = here;
  const bodies = [
    ...account.payloads.unknown,
    ...(account.inlet.kind === "webhook" ? unreadable : []),
  ];
  const before = (await ground.items(connection)).length;
  for (const body of bodies) await ground.bring(here, body);
  await ground.bring(here, account.payloads.message(account.people[0], "the end"));
  await untilText(ground, connection, "the end");
  const kept = (await ground.items(connection))
    .slice(before)
    .map(({ raw }) => raw.toString("utf8"));
  for (const body of bodies) {
    const at = kept.findIndex((raw) => (raw === "" ? body === "" : body.includes(raw)));
    demand(
      at !== -1,
      `This was answered as received, but is kept nowhere: ${JSON.stringify(body)}.`,
    );
    kept.splice(at, 1);
  }
}

async function checkSignatures(ground: Ground): Promise<void> {
  const { account, connection } = await ground.connected();
  const { inlet } = account;
  demand(
    inlet.kind === "webhook",
    "The connector has a webhook facet: its harness must say how posts are signed.",
  );
  const body = account.payloads.message(account.people[0], "forged");
  const signed = inlet.sign(body, connection.webhookSecret);
  const other = account.payloads.message(account.people[0], "altered");
  const forgeries: [string, Readonly<Record<string, string>>, string][] = [
    ["without a signature", {}, body],
    ["signed with another secret", inlet.sign(body, "x".repeat(43)), body],
    ["with an empty signature", mapValues(signed, () => ""), body],
    ["with a longer signature", mapValues(signed, (value) => `${value}0`), body],
  ];
  if (JSON.stringify(inlet.sign(other, connection.webhookSecret)) !== JSON.stringify(signed))
    forgeries.push(["with a body other than the signed one", signed, other]);
  for (const [how, headers, forged] of forgeries)
    demandEqual(
      await ground.post(connection, forged, headers),
      401,
      `A post ${how} must be answered 401.`,
    );
  const stored = (await ground.texts(connection)).filter(
    (text) => text === "forged" || text === "altered",
  );
  demandEqual(stored, [], "A refused post was stored.");
  demandEqual(
    await ground.post(connection, body, signed),
    200,
    "A rightly signed post must be answered 200.",
  );
  await untilText(ground, connection, "forged");
}

function mapValues(
  headers: Readonly<Record<string, string>>,
  change: (value: string) => string,
): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, change(value)]));
}

async function untilText(
  ground: Ground,
  connection: GroundConnection,
  text: string,
): Promise<void> {
  await ground.until(`"${text}" to come in`, async () =>
    (await ground.texts(connection)).includes(text),
  );
}
