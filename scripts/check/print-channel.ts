// Prints docs/reference/channels/*.md: what one channel's app carries, in both directions, and what its provider's errors mean.
import { join } from "node:path";
import type { Connector, RawItem } from "../../packages/connector-kit/src/index.ts";
import { channels } from "@thikaa/schema";
import type { Capabilities, ChannelCode, Converted, OutcomeClass } from "@thikaa/schema";

/** A row of a channel's error table. */
interface ErrorRow {
  readonly code: number | string;
  readonly says?: RegExp;
  readonly class: OutcomeClass;
  readonly reason: string;
  readonly message: string;
}

/** The parts of a channel's app that its page is made of; every app has them, in these files. */
interface ChannelApp {
  readonly connector: Connector;
  readonly errorTable: readonly ErrorRow[];
  /** What the provider sends, by a name of ours. */
  readonly updates: Readonly<Record<string, unknown>>;
}

const [app = ""] = process.argv.slice(2);
const { connector, errorTable, updates } = await readApp(join("../../apps", app, "src"));
const pages = connector.channels.map((channel) => pageOf(channel));
process.stdout.write(`${pages.join("\n\n")}\n`);

async function readApp(folder: string): Promise<ChannelApp> {
  const [{ connector: found }, { errorTable: errors }, { default: fixtures }] = (await Promise.all([
    import(`${folder}/connector.ts`),
    import(`${folder}/platform/errors.ts`),
    import(`${folder}/fixtures/updates.json`, { with: { type: "json" } }),
  ])) as [
    Pick<ChannelApp, "connector">,
    Pick<ChannelApp, "errorTable">,
    { default: ChannelApp["updates"] },
  ];
  return { connector: found, errorTable: errors, updates: fixtures };
}

function pageOf(channel: ChannelCode): string {
  const { name, code, recipient } = channels[channel];
  const carried = connector.capabilities[channel];
  if (carried === undefined) throw new Error(`${app} does not say what '${channel}' can carry.`);
  const addressed =
    recipient === "phone"
      ? "a phone number with country code"
      : "the id that the provider gave, as `data.from` of a received message has it";
  return [
    `# ${name.en} (\`${code}\`)`,
    "<!-- Made by npm run check -- --only generated --write; do not edit. -->",
    `\`to\` is ${addressed}.`,
    connecting(),
    sending(carried),
    receiving(),
    errors(),
  ].join("\n\n");
}

function connecting(): string {
  const rows = connector.credentials.fields.map((field) => [
    `\`${field.name}\`${field.required ? "" : " (optional)"}`,
    field.secret ? "yes" : "no",
    `${field.label.en}. ${field.help.en}`,
  ]);
  return `## What a connection needs\n\n${table(["field", "secret", "where it is found"], rows)}`;
}

function sending(carried: Capabilities): string {
  const { text, media, receipts, firstMessage, windowHours } = carried;
  const unit = { utf16: "UTF-16 units", code_points: "letters", bytes: "bytes" };
  const kinds = [
    ...(text === null
      ? []
      : [["text", `${text.maxLength} ${unit[text.unit]} a part; longer ones are split`, ""]]),
    ...media.map(({ kind, maxBytes, captionLength }) => [
      kind,
      megabytes(maxBytes),
      captionLength === 0
        ? "none: the text is a part of its own"
        : `${captionLength}; a longer text is a part of its own`,
    ]),
  ];
  const last = {
    none: "`sent` is the last word: the provider tells of no delivery.",
    delivered: "The provider tells when a message was delivered.",
    read: "The provider tells when a message was delivered and read.",
  };
  const { features = [] } = carried;
  const promises = [
    ...(features.length === 0 ? [] : [`Beside text and files: ${features.join(", ")}.`]),
    last[receipts],
    firstMessage
      ? "We may write first, as far as the provider lets us: it decides, not we."
      : "People write first; a message to anyone else is refused with `conversation_not_open`.",
    windowHours === null
      ? "There is no window of time in which an answer must be given."
      : `Free text may be sent for ${windowHours} hours after the person's last message; then \`window_closed\`.`,
  ];
  return [
    "## What can be sent",
    table(["kind", "limit", "caption"], kinds),
    promises.map((promise) => `- ${promise}`).join("\n"),
  ].join("\n\n");
}

function megabytes(bytes: number): string {
  return `${new Intl.NumberFormat("en", { maximumFractionDigits: 1 }).format(bytes / 1_048_576)} MiB`;
}

function receiving(): string {
  const rows = Object.entries(updates).map(([name, update]) => [
    name.replaceAll(/(?=[A-Z])/g, " ").toLowerCase(),
    itemsOf(JSON.stringify(update))
      .map((item) => meaningOf(connector.convert(item)))
      .join("; "),
  ]);
  return `## What comes in

Made by converting one update of each kind. What nobody knows is kept whole and counted.

${table(["from the provider", "becomes"], rows)}`;
}

/** The items of a body: as a post of it would be cut, where the provider posts. */
function itemsOf(raw: string): readonly RawItem[] {
  return connector.webhook?.split(Buffer.from(raw)) ?? [{ key: "1", thread: "1", raw }];
}

function meaningOf(converted: Converted): string {
  if (converted.kind === "block") return "the event `contact.updated`";
  if (converted.kind === "notice") return `kept as a notice, \`${converted.reason}\``;
  if (converted.kind === "receipt")
    return `a receipt: the event \`message.status\`, \`${converted.status}\``;
  const { type, raw_type: rawType } = converted;
  const edited = converted.kind === "message" && converted.edited;
  const files = converted.media.map((file) => `\`${file.type}\``).join(", ");
  return [
    ...(converted.kind === "own" ? ["written by the account itself"] : []),
    `type \`${type}\``,
    ...(rawType === null ? [] : [`\`raw_type\` \`${rawType}\``]),
    ...(files === "" ? [] : [`media: ${files}`]),
    ...(edited ? ["`edited`"] : []),
  ].join(", ");
}

function errors(): string {
  const rows = errorTable.map((row) => [
    String(row.code),
    row.says === undefined ? "any other" : `\`${row.says.source}\``,
    row.class,
    `\`${row.reason}\``,
    row.message,
  ]);
  return `## Errors

Read from the top; the first row that fits holds. The class says what becomes of the message: \`rejected\` fails it, \`unavailable\` and \`throttled\` try again, \`uncertain\` tries again and says so, \`unauthorized\` stops the connection until a person gives new credentials.

${table(["code", "provider's words", "class", "reason", "what we say"], rows)}`;
}

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [titles, titles.map(() => "---"), ...rows].map(
    (cells) => `| ${cells.map((cell) => cell.replaceAll("|", String.raw`\|`)).join(" | ")} |`,
  );
  return lines.join("\n");
}
