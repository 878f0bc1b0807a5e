// `listen`: shows a store's events live, and can forward them, signed, to a URL on the developer's machine.
import { randomBytes } from "node:crypto";
import { eventTypes } from "@thikaa/schema";
import type { StoreEvent } from "@thikaa/schema";
import type { Command, Context } from "../command.ts";
import { createForwarder } from "../forward.ts";
import type { Forwarded, Forwarder } from "../forward.ts";
import { clock, printable } from "../output.ts";
import { usageProblem } from "../problem.ts";
import { listFlag, numberFlag } from "../values.ts";

async function run(context: Context): Promise<void> {
  const { client, output, flags, signal } = context;
  const store = flags.text("store") ?? "";
  const wanted = readEvents(flags.text("events"));
  const forwarder = await openForwarder(context, store);
  if (!output.json) output.note(`Listening to ${store} (Ctrl-C ends it) …`);
  for await (const event of client.events({
    store,
    after: numberFlag("after", flags.text("after")),
    signal,
    onBreak: (why) => output.note(why),
  })) {
    if (!wanted.has(event.event)) continue;
    const forwarded = forwarder === null ? undefined : await forwarder(event);
    output.result(
      forwarded === undefined ? event : { ...event, forwarded },
      () => describe(event) + describeForwarded(forwarded),
    );
  }
}

function readEvents(text: string | undefined): ReadonlySet<string> {
  const given = listFlag(text) ?? ["message.received"];
  const unknown = given.find((name) => !(eventTypes as readonly string[]).includes(name));
  if (unknown !== undefined)
    throw usageProblem(`There is no event '${unknown}'. There are: ${eventTypes.join(", ")}.`);
  return new Set(given);
}

async function openForwarder(
  { client, output, flags }: Context,
  store: string,
): Promise<Forwarder | null> {
  const url = flags.text("forward");
  if (url === undefined) {
    if (flags.has("secret")) throw usageProblem("--secret goes with --forward.");
    return null;
  }
  const secret = flags.text("secret") ?? `whsec_${randomBytes(32).toString("base64")}`;
  if (!flags.has("secret")) output.note(`Verify with this secret, made for this run: ${secret}`);
  return createForwarder(client, { store, url, secret });
}

function describe(event: StoreEvent): string {
  const time = clock(event.created_at);
  if (event.event === "endpoint.disabled")
    return `${time} ${event.event} ${event.data.endpoint_id}: ${event.data.reason}`;
  const { data } = event;
  if (event.event === "message.status")
    return `${time} ${event.event} ${data.channel} to ${printable(event.data.to)}: ${event.data.status}${event.data.reason === null ? "" : `, ${event.data.reason.message}`}`;
  if (event.event === "message.updated")
    return `${time} ${event.event} ${data.channel} from ${printable(event.data.from)}: ${event.data.media.map(({ type, status }) => `${type} ${status}`).join(", ")}`;
  const who = event.data.contact.name === null ? "" : ` ${event.data.contact.name}`;
  if (event.event === "contact.updated")
    return `${time} ${event.event} ${data.channel} ${printable(event.data.from)}${printable(who)}: ${event.data.blocked ? "blocked" : "unblocked"}`;
  return `${time} ${event.event} ${data.channel} from ${printable(event.data.from)}${printable(who)}: ${printable(event.data.message ?? `[${event.data.type}]`)}`;
}

function describeForwarded(forwarded: Forwarded | undefined): string {
  if (forwarded === undefined) return "";
  return forwarded.error === null
    ? ` → ${forwarded.status ?? "?"} in ${forwarded.ms} ms`
    : ` → not taken: ${forwarded.error}`;
}

export const listen: Command = {
  words: [],
  about: "Show a store's events as they come, one a line",
  flags: {
    store: { value: "STORE", about: "The store", required: true },
    forward: { value: "URL", about: "Post each event there, signed like a webhook" },
    secret: { value: "SECRET", about: "Sign with this whsec_… instead of one made for this run" },
    events: {
      value: "LIST",
      about: `Which events; message.received otherwise (${eventTypes.join(", ")})`,
    },
    after: { value: "N", about: "Begin behind this event's number, not now" },
  },
  run,
};
