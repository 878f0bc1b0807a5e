// Rules on what a connector says before any connection is open: capabilities, credentials and plans.
import { capabilities as capabilitiesShape, outboundContent, partPlan } from "@thikaa/schema";
import type { Capabilities, OutboundContent, PartPlan } from "@thikaa/schema";
import { vi } from "vitest";
import { checkPlannedFeatures, checkTyping, featureContents } from "./features.ts";
import { createMemoryContext } from "../memory-context.ts";
import { demand, demandEqual } from "../rule.ts";
import type { Bench, Rule } from "../rule.ts";
import type { ConnectorHarness, ProviderAccount } from "../harness.ts";

/** Letters that the units count differently: one byte, two, and four that are two UTF-16 units. */
const letters = ["a", "م", "🌙"];

export const planRules: readonly Rule[] = [
  {
    name: "capabilities agree with what plan makes and with the facets",
    on: "bench",
    where: "connector.ts, Connector.capabilities and plan; media.ts, MediaFacet",
    async check(bench) {
      checkDescriptions(bench);
      for (const content of samples(capabilitiesOf(bench.harness)))
        checkLength(bench.harness, content);
      checkPlannedFeatures(bench.harness, capabilitiesOf(bench.harness));
      await checkFacets(bench);
    },
  },
  {
    name: "plan is pure and deterministic",
    on: "bench",
    where: "connector.ts, Connector.plan",
    async check({ harness }) {
      const carried = capabilitiesOf(harness);
      for (const { content } of samples(carried)) checkPure(harness, content);
      for (const content of featureContents(carried)) checkPure(harness, content);
    },
  },
];

interface Sample {
  readonly content: OutboundContent;
  /** What is measured, and whether one part must carry it. */
  readonly what: string;
  readonly fits: boolean;
}

function capabilitiesOf({ connector, channel }: ConnectorHarness): Capabilities {
  const found = connector.capabilities[channel];
  demand(found !== undefined, `The connector does not say what '${channel}' can carry.`);
  return found;
}

/** Texts and captions at the limits that the capabilities name, and just over them. */
function samples({ text, media }: Capabilities): Sample[] {
  const unit = text?.unit ?? "utf16";
  const texts = [
    ...(text === null ? [] : [{ limit: text.maxLength, file: null, what: "text.maxLength" }]),
    ...media
      .filter(({ captionLength }) => text !== null || captionLength > 0)
      .map(({ kind, captionLength }) => ({
        limit: captionLength,
        file: { url: "https://shop.example/file", kind },
        what: `the captionLength of '${kind}'`,
      })),
  ];
  const limits = texts.flatMap(({ limit, file, what }) =>
    letters.flatMap((letter) =>
      [Math.floor(limit / sizeOf(letter, unit)), limit + 1]
        .filter((count) => count > 0)
        .map((count, over) => ({
          content: contentOf(letter.repeat(count), file),
          what,
          fits: over === 0 && limit > 0,
        })),
    ),
  );
  const files = media.map(({ kind }) => ({
    content: contentOf(null, { url: "https://shop.example/file", kind }),
    what: `a file of kind '${kind}'`,
    fits: true,
  }));
  return [...limits, ...files];
}

function contentOf(text: string | null, media: OutboundContent["media"]): OutboundContent {
  return outboundContent.parse({ text, media });
}

function sizeOf(letter: string, unit: NonNullable<Capabilities["text"]>["unit"]): number {
  if (unit === "bytes") return Buffer.byteLength(letter);
  return unit === "utf16" ? letter.length : 1;
}

function planOf({ connector }: ConnectorHarness, content: OutboundContent): readonly PartPlan[] {
  return connector.plan({
    to: "recipient",
    content,
    messageId: "01900000-0000-7000-8000-00000000beef",
  });
}

function checkLength(harness: ConnectorHarness, { content, what, fits }: Sample): void {
  const parts = planOf(harness, content);
  demandEqual(
    parts.map(({ n }) => n),
    parts.map((_, index) => index + 1),
    "Parts are numbered from 1, in order.",
  );
  demand(
    fits === (parts.length === 1),
    fits
      ? `Capabilities say that one part carries ${what}, but plan makes ${parts.length} of a content of just that size.`
      : `Plan makes ${parts.length} part of a content that is over ${what}: it must be cut into more.`,
  );
}

function checkPure(harness: ConnectorHarness, content: OutboundContent): void {
  const before = structuredClone(content);
  const plans = [at(0, () => planOf(harness, content)), at(2, () => planOf(harness, content))];
  demandEqual(content, before, "Plan changed the message that it was given.");
  demandEqual(
    plans[1],
    plans[0],
    "Plan made two plans of one message: it may use no clock, no chance and no memory.",
  );
  for (const part of plans[0] ?? [])
    demand(
      partPlan.safeParse(part).success,
      "A part's payload is not plain JSON: it is stored before it is sent, and would come back as something else.",
    );
}

/** Runs the work at another time of day. */
function at<T>(days: number, work: () => T): T {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.UTC(2026, 0, 1 + days) });
  try {
    return work();
  } finally {
    vi.useRealTimers();
  }
}

function checkDescriptions({ harness, provider }: Bench): void {
  const { connector, channel } = harness;
  const found = capabilitiesShape.safeParse(capabilitiesOf(harness));
  demand(found.success, `The capabilities do not have the schema's form: ${found.error?.message}`);
  demand(connector.channels.includes(channel), `The connector does not serve '${channel}'.`);
  const { fields, values } = connector.credentials;
  const names = fields.map(({ name }) => name);
  demand(new Set(names).size === names.length, "Two credential fields have the same name.");
  for (const field of fields)
    for (const words of [field.label, field.help])
      demand(
        words.en.trim() !== "" && words.ar.trim() !== "",
        `The credential field '${field.name}' lacks a label or help in English or Arabic.`,
      );
  const given = provider.wrongCredentials;
  demand(
    values.safeParse(given).success,
    "`credentials.values` refuses credentials of the right shape.",
  );
  for (const { name } of fields.filter(({ required }) => required)) {
    const { [name]: _left, ...rest } = given;
    demand(
      !values.safeParse(rest).success,
      `The field '${name}' is described as required, but \`credentials.values\` does without it.`,
    );
  }
}

async function checkFacets({ harness, provider }: Bench): Promise<void> {
  const { connector } = harness;
  const carried = capabilitiesOf(harness);
  const provided = provider.addAccount();
  const context = createMemoryContext({ baseUrl: provider.url, credentials: provided.credentials });
  const account = await connector.connect(context);
  try {
    demand(
      provided.inlet.kind === "push" || connector.webhook !== undefined,
      "The provider posts, but the connector has no webhook facet.",
    );
    checkTyping(carried, account);
    await checkMedia({ harness, account, provided });
  } finally {
    context.end();
    await account.disconnect();
  }
}

async function checkMedia({
  harness,
  account,
  provided,
}: {
  harness: ConnectorHarness;
  account: Awaited<ReturnType<ConnectorHarness["connector"]["connect"]>>;
  provided: ProviderAccount;
}): Promise<void> {
  const { file } = provided.payloads;
  const { webhook, convert } = harness.connector;
  if (file === undefined || webhook === undefined) return;
  const [item] = webhook.split(Buffer.from(file(provided.people[0])));
  const converted = item === undefined ? null : convert(item);
  const media = converted?.kind === "message" ? converted.media[0] : undefined;
  demand(media !== undefined, "A customer's file was converted to a message without media.");
  demand(
    account.media !== undefined,
    "convert names media, but the open connection has no media facet: nothing could fetch the file.",
  );
  const opened = await account.media.open(media.reference, AbortSignal.timeout(10_000));
  let bytes = 0;
  for await (const piece of opened.bytes) bytes += piece.length;
  demand(bytes > 0, "The media facet opened a customer's file, but no byte came.");
}
