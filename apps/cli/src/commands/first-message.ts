// Waits for the first message on a new connection and prints who wrote, with a curl that answers.
import { join } from "node:path";
import type { MessageReceivedData } from "@thikaa/schema";
import { sandboxStore } from "@thikaa/schema";
import type { Context } from "../command.ts";
import { printable } from "../output.ts";

export interface Waiting {
  readonly store: string;
  readonly channel: string;
  readonly connectionId: string;
  /** Where the account is found; empty when the provider gave none. */
  readonly link: string;
  /** The store's last event before the connection was made. */
  readonly after: number;
}

/** Resolves when somebody has written, or at Ctrl-C. */
export async function waitForFirstMessage(context: Context, waiting: Waiting): Promise<void> {
  const { client, output, signal } = context;
  output.line(
    `\nWrite to ${waiting.link === "" ? "it" : waiting.link} now, from a phone; this waits for the first message (Ctrl-C ends the waiting).`,
  );
  for await (const event of client.events({
    store: waiting.store,
    after: waiting.after,
    signal,
    onBreak: (why) => output.note(why),
  })) {
    if (event.event !== "message.received" || event.data.connection_id !== waiting.connectionId)
      continue;
    output.line(describeFirst(context, waiting, event.data));
    return;
  }
  output.line(
    `\nNo longer waiting; the connection stays. To see what comes in: npm run -s thikaa -- listen --store ${waiting.store}`,
  );
}

function describeFirst(
  { client, config }: Context,
  { store }: Waiting,
  data: MessageReceivedData,
): string {
  const sandbox = store === sandboxStore;
  const key = sandbox ? `$(cat ${join(config.dataDir, "sandbox/key")})` : "$THIKAA_KEY";
  const makeKey = sandbox
    ? []
    : [
        "Make a key first:",
        `  npm run -s thikaa -- key create --store ${store} --name my-app --channels ${data.channel}`,
        "  export THIKAA_KEY=<its api_key>",
        "",
      ];
  const body = JSON.stringify({
    channel: data.channel,
    to: data.from,
    message: "Hello!",
  }).replaceAll("'", String.raw`'\''`);
  const who = data.contact.name ?? data.contact.username ?? data.from;
  return [
    "",
    `${printable(who)} (${printable(data.from)}) wrote: ${printable(data.message ?? `[${data.type}]`)}`,
    "",
    ...makeKey,
    "Answer with:",
    `  curl -X POST "${client.url}/${store}/api/messaging/?action=send" \\`,
    `    -H "Authorization: Bearer ${key}" -H "Content-Type: application/json" \\`,
    `    -d '${printable(body)}'`,
  ].join("\n");
}
