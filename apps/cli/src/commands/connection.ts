// Commands for connections that are there.
import type { Answer } from "../client.ts";
import type { Command, Context } from "../command.ts";
import { clock, fields, table } from "../output.ts";
import { listOf, objectOf, textOf, withoutOk } from "../values.ts";

/** A connection in lines for people, with what its account is called and where it is found. */
export function connectionWords(connection: Answer): string {
  const display = objectOf(connection, "display");
  const reason = objectOf(connection, "reason");
  return fields([
    ["connection", textOf(connection, "id")],
    ["store", textOf(connection, "store")],
    ["channel", textOf(connection, "channel")],
    ["name", `${textOf(connection, "name")}${connection["default"] === true ? " (default)" : ""}`],
    ["address", textOf(connection, "address")],
    ...Object.keys(display).map(
      (name) => [name === "name" ? "called" : name, textOf(display, name)] as const,
    ),
    ["state", `${textOf(connection, "state")} since ${clock(textOf(connection, "since"))}`],
    ["reason", textOf(reason, "message")],
    ["waiting", textOf(connection, "queued")],
  ]);
}

async function list({ client, output, flags }: Context): Promise<void> {
  const store = flags.text("store");
  const answer = await client.request(
    "GET",
    store === undefined ? "/connections" : `/stores/${encodeURIComponent(store)}/connections`,
  );
  const rows = listOf(answer, "connections").map((connection) => [
    ...["id", "store", "channel", "name", "address", "state", "queued"].map((name) =>
      textOf(connection, name),
    ),
    textOf(objectOf(connection, "reason"), "message"),
  ]);
  output.result(withoutOk(answer), () =>
    table(
      ["connection", "store", "channel", "name", "address", "state", "waiting", "reason"],
      rows,
      "There is no connection yet. See: thikaa connection add --help",
    ),
  );
}

async function show({ client, output, words }: Context): Promise<void> {
  const connection = withoutOk(await client.request("GET", path(words)));
  output.result(
    connection,
    () => `${connectionWords(connection)}\n\n${textOf(connection, "next")}`,
  );
}

async function remove({ client, output, words }: Context): Promise<void> {
  const answer = withoutOk(await client.request("DELETE", path(words)));
  const abandoned = Number(answer["abandoned"] ?? 0);
  output.result(
    answer,
    () =>
      `${words[0] ?? ""} is removed.${abandoned > 0 ? ` ${abandoned} messages were still waiting on it; they have failed, and their price was given back.` : ""}`,
  );
}

function path(words: readonly string[]): string {
  return `/connections/${encodeURIComponent(words[0] ?? "")}`;
}

export const connectionCommands: Readonly<Record<string, Command>> = {
  "connection list": {
    words: [],
    about: "List connections and their state",
    flags: { store: { value: "STORE", about: "Only this store's" } },
    run: list,
  },
  "connection show": {
    words: ["<connection_id>"],
    about: "Show a connection and what to do next",
    flags: {},
    run: show,
  },
  "connection remove": {
    words: ["<connection_id>"],
    about: "Remove a connection",
    flags: {},
    run: remove,
  },
};
