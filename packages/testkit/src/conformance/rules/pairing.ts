// Rules on pairing: codes come and pass, a linked phone connects, and whatever ends it leaves nothing open.
import { AddressTaken, ConnectionFault, NotPaired } from "@thikaa/connector-kit";
import type {
  ConnectedAccount,
  Connector,
  ConnectorContext,
  ShownCode,
} from "@thikaa/connector-kit";
import { newId, outboundContent, pairingReasons } from "@thikaa/schema";
import type { ConnectorHarness, PairingHarness, ProviderAccount } from "../harness.ts";
import { createMemoryContext } from "../memory-context.ts";
import type { MemoryContext } from "../memory-context.ts";
import { demand, demandEqual } from "../rule.ts";
import type { Bench, Rule } from "../rule.ts";
import { waitFor } from "../../waiting.ts";

const appliesTo = ({ connector, pairing }: ConnectorHarness): boolean =>
  connector.pairing !== undefined || pairing !== undefined;

export const pairingRules: readonly Rule[] = [
  {
    name: "a code is renewed until the last one has passed, and that is said as a reason",
    on: "bench",
    where: "pairing.ts, PairingFacet.pair and PairingDesk.show",
    appliesTo,
    check: checkExpiry,
  },
  {
    name: "a pairing that is let go ends soon and leaves no code that works",
    on: "bench",
    where: "pairing.ts, PairingFacet.pair",
    appliesTo,
    check: checkLetGo,
  },
  {
    name: "a phone that was linked connects, whoever opens it, and is not asked for again",
    on: "bench",
    where: "pairing.ts, PairingFacet.pair; faults.ts, NotPaired",
    appliesTo,
    check: checkLinked,
  },
  {
    name: "a phone that was linked and may not stay is unlinked again",
    on: "bench",
    where: "pairing.ts, PairingFacet.pair; context.ts, ConnectorContext.identify",
    appliesTo,
    check: checkMayNotStay,
  },
];

/** For a busy machine. */
const deadlineMs = 15_000;

/** A pairing under way, with everything that it showed. */
interface UnderWay {
  readonly context: MemoryContext;
  readonly shown: readonly ShownCode[];
  /** How it ended: `null` without a fault. Never rejects. */
  readonly ended: Promise<unknown>;
}

function begin(
  { pairing }: Connector,
  on: { context: MemoryContext; phone?: string | null },
): UnderWay {
  const facet = must(pairing);
  const shown: ShownCode[] = [];
  const desk = { phone: on.phone ?? null, show: (code: ShownCode) => void shown.push(code) };
  const ended = facet.pair(on.context, desk).then(
    () => null,
    (error: unknown) => error ?? new Error("nothing"),
  );
  return { context: on.context, shown, ended };
}

async function checkExpiry({ harness, provider }: Bench): Promise<void> {
  const { hurried } = pairingOf(harness);
  const account = provider.addAccount();
  const pairing = begin(hurried, { context: contextFor(account, provider.url) });
  const first = await nextCode(pairing, 1);
  demand(
    first.expiresAt.getTime() > Date.now() - 1_000,
    "A code was over before it could be seen: expiresAt is when it passes.",
  );
  const end = await within(pairing.ended, "all codes have passed");
  demand(pairing.shown.length > 1, "The code was never renewed.");
  demandEqual(
    new Set(pairing.shown.map(textOf)).size,
    pairing.shown.length,
    "A code was shown twice, as if it were another one.",
  );
  const { reasons } = must(hurried.pairing).description;
  demand(
    end instanceof ConnectionFault &&
      end.state === "attention" &&
      (Object.hasOwn(reasons, end.reason.code) || Object.hasOwn(pairingReasons, end.reason.code)),
    `Nobody used a code in time, and it ended with ${sayEnd(end)}: that is a ConnectionFault with 'attention' and a reason that the description explains.`,
  );
  await demandDead(account, pairing);
}

async function checkLetGo({ harness, provider }: Bench): Promise<void> {
  const account = provider.addAccount();
  const pairing = begin(pairingOf(harness).connector, {
    context: contextFor(account, provider.url),
  });
  await nextCode(pairing, 1);
  pairing.context.end();
  const end = await within(pairing.ended, "the signal has aborted");
  demand(end !== null, "It was let go before a phone was linked, and it said that one is.");
  await demandDead(account, pairing);
}

async function checkLinked(bench: Bench): Promise<void> {
  const { typeSteps } = must(pairingOf(bench.harness).connector.pairing).description;
  await checkLinkedBy("qr", bench);
  if (typeSteps !== null) await checkLinkedBy("code", bench);
}

async function checkLinkedBy(kind: ShownCode["kind"], { harness, provider }: Bench): Promise<void> {
  const { connector } = pairingOf(harness);
  const account = provider.addAccount();
  const claimed: string[] = [];
  const context = contextFor(account, provider.url, {
    identify: async ({ address }) => void claimed.push(address),
  });
  const unpaired = await connector.connect(context).then(closeIt, (error: unknown) => error);
  demand(
    unpaired instanceof NotPaired,
    `No phone is linked yet, and connect ended with ${sayEnd(unpaired)}, not with NotPaired.`,
  );
  const pairing = begin(connector, { context, phone: kind === "code" ? account.address : null });
  const code = await nextCode(pairing, 1);
  demandEqual(code.kind, kind, "Another kind of code was shown than was asked for.");
  await must(account.phone).use(code);
  const end = await within(pairing.ended, "the phone has used the code");
  demand(end === null, `The phone was linked, and it ended with ${sayEnd(end)}.`);
  demandEqual(claimed.at(-1), account.address, "The number was not claimed by identify.");
  // Another process has what was kept, and nothing else.
  const next = contextFor(account, provider.url, { state: context.state });
  const again = begin(connector, { context: next });
  demand(
    (await within(again.ended, "it was asked for again")) === null && again.shown.length === 0,
    "A phone is linked already, and pair did more than resolve.",
  );
  await checkConnects(await connector.connect(next), { connector, account });
  demandEqual(must(account.phone).links(), 1, "The phone is linked once.");
}

async function checkConnects(
  opened: ConnectedAccount,
  { connector, account }: { connector: Connector; account: ProviderAccount },
): Promise<void> {
  const [to] = account.people;
  const messageId = newId();
  const content = outboundContent.parse({ text: "paired", media: null });
  const [part] = connector.plan({ to, content, messageId });
  const outcome = await opened.send({ to, part: must(part), partCount: 1, messageId });
  await opened.disconnect();
  demand(
    outcome.class === "sent" && account.got(to).some(({ text }) => text === "paired"),
    `The connection of a linked phone sent nothing: ${outcome.class}.`,
  );
}

async function checkMayNotStay({ harness, provider }: Bench): Promise<void> {
  const account = provider.addAccount();
  const pairing = begin(pairingOf(harness).connector, {
    context: contextFor(account, provider.url, {
      identify: () => Promise.reject(new AddressTaken()),
    }),
  });
  await must(account.phone).use(await nextCode(pairing, 1));
  const end = await within(pairing.ended, "identify has refused the number");
  demand(
    end instanceof AddressTaken,
    `The number is another connection's, and pair ended with ${sayEnd(end)}, not with what identify threw.`,
  );
  demandEqual(must(account.phone).links(), 0, "The phone still lists a device that is nobody's.");
}

/** Nobody can link any more by what was shown, and nobody has. */
async function demandDead(account: ProviderAccount, { shown }: UnderWay): Promise<void> {
  const phone = must(account.phone);
  const taken = await phone.use(must(shown.at(-1))).then(
    () => true,
    () => false,
  );
  demand(!taken, "The pairing is over, and its last code still links a phone.");
  demandEqual(phone.links(), 0, "The pairing is over, and a device is linked.");
}

function pairingOf({ pairing }: ConnectorHarness): PairingHarness {
  demand(pairing !== undefined, "The connector has the pairing facet, and the harness no pairing.");
  return pairing;
}

function contextFor(
  { credentials }: ProviderAccount,
  baseUrl: string,
  given: Partial<Pick<ConnectorContext, "identify" | "state">> = {},
): MemoryContext {
  return createMemoryContext({ baseUrl, credentials, ...given });
}

async function nextCode({ shown, ended }: UnderWay, count: number): Promise<ShownCode> {
  const failed = ended.then((end) => Promise.reject(new Error(`It ended with ${sayEnd(end)}.`)));
  failed.catch(() => undefined);
  return Promise.race([
    waitFor(() => shown[count - 1], { what: `code ${count} to be shown`, deadlineMs }),
    failed,
  ]);
}

async function within(ended: UnderWay["ended"], after: string): Promise<unknown> {
  const late = Promise.withResolvers<unknown>();
  const timer = setTimeout(
    () => late.reject(new Error(`pair goes on though ${after}.`)),
    deadlineMs,
  );
  return Promise.race([ended, late.promise]).finally(() => clearTimeout(timer));
}

const closeIt = async (opened: ConnectedAccount): Promise<null> => (
  await opened.disconnect(),
  null
);

const textOf = (shown: ShownCode): string => (shown.kind === "qr" ? shown.text : shown.code);

function sayEnd(end: unknown): string {
  if (end === null) return "no fault";
  return end instanceof Error ? `${end.name}: ${end.message}` : "something that is no error";
}

function must<T>(value: T | undefined): T {
  demand(value !== undefined, "The harness leaves out what pairing is judged by.");
  return value;
}
