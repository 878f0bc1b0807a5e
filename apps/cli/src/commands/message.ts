// Commands for messages: one with its story, and lists.
import type { Command, Context } from "../command.ts";
import { clock, fields, printable, table } from "../output.ts";
import { listOf, numberFlag, objectOf, sinceFlag, textOf, withoutOk } from "../values.ts";

async function show({ client, output, words }: Context): Promise<void> {
  const message = objectOf(
    await client.request("GET", `/messages/${encodeURIComponent(words[0] ?? "")}`),
    "message",
  );
  output.result(message, () => {
    const head = fields([
      ["message", textOf(message, "message_id")],
      ["store", textOf(message, "store")],
      [
        "channel",
        `${textOf(message, "channel")} by ${textOf(message, "connection") || textOf(message, "connection_id")}`,
      ],
      [message["direction"] === "in" ? "from" : "to", textOf(message, "address")],
      ["status", `${textOf(message, "status")}${message["final"] === true ? "" : " (not final)"}`],
      ["reason", textOf(objectOf(message, "reason"), "message")],
      ["reference", textOf(message, "client_reference")],
      [
        "price",
        `${textOf(message, "price")}${message["refunded"] === true ? " (given back)" : ""}`,
      ],
      [
        "duplicate",
        message["possible_duplicate"] === true ? "the customer may have got it twice" : "",
      ],
    ]);
    const timeline = listOf(message, "timeline").map(
      (line) => `  ${clock(textOf(line, "at"))}  ${printable(textOf(line, "text"))}`,
    );
    return `${head}\n\n${timeline.join("\n")}`;
  });
}

async function list({ client, output, flags }: Context): Promise<void> {
  const query = new URLSearchParams({ store: flags.text("store") ?? "" });
  if (flags.has("failed")) query.set("failed", "1");
  const since = sinceFlag(flags.text("since"));
  if (since !== undefined) query.set("since", since);
  const limit = numberFlag("limit", flags.text("limit"));
  if (limit !== undefined) query.set("limit", String(limit));
  const before = flags.text("before");
  if (before !== undefined) query.set("before", before);
  const answer = await client.request("GET", `/messages?${query.toString()}`);
  const rows = listOf(answer, "messages").map((message) => [
    clock(textOf(message, "created_at")),
    textOf(message, "message_id"),
    textOf(message, "direction"),
    textOf(message, "channel"),
    textOf(message, "address"),
    textOf(message, "status"),
    textOf(objectOf(message, "reason"), "message"),
  ]);
  const more =
    answer["has_more"] === true ? `\n\nMore: --before ${textOf(answer, "next_before")}` : "";
  output.result(
    withoutOk(answer),
    () =>
      table(
        ["time", "message", "way", "channel", "address", "status", "reason"],
        rows,
        "No message fits.",
      ) + more,
  );
}

export const messageCommands: Readonly<Record<string, Command>> = {
  message: {
    words: ["<message_id>"],
    about: "Tell what happened to a message, in plain words",
    flags: {},
    run: show,
  },
  messages: {
    words: [],
    about: "List a store's messages, newest first",
    flags: {
      store: { value: "STORE", about: "The store", required: true },
      failed: { value: null, about: "Only those that failed, or whose fate is uncertain" },
      since: { value: "SPAN", about: "Only since 30m, 1h, 2d, or a time" },
      limit: { value: "N", about: "At most so many; 50 otherwise" },
      before: { value: "ID", about: "Only older than this message" },
    },
    run: list,
  },
};
