// `status`: the house on one screen.
import type { Command, Context } from "../command.ts";
import { clock, fields, table } from "../output.ts";
import { listOf, objectOf, textOf, withoutOk } from "../values.ts";

async function run({ client, output }: Context): Promise<void> {
  const answer = withoutOk(await client.request("GET", "/status"));
  output.result(answer, () => {
    const connections = objectOf(answer, "connections");
    const queues = objectOf(answer, "queues");
    const workers = listOf(answer, "workers").map((worker) => [
      textOf(worker, "role"),
      textOf(worker, "count"),
      clock(textOf(worker, "since")),
    ]);
    const attention = listOf(answer, "attention").map((connection) => [
      textOf(connection, "store"),
      textOf(connection, "name"),
      textOf(connection, "id"),
      textOf(objectOf(connection, "reason"), "message"),
    ]);
    const states = Object.keys(connections).map(
      (state) => `${textOf(connections, state)} ${state}`,
    );
    return [
      fields([
        ["house", `${client.url} (${textOf(answer, "environment")})`],
        ["NATS", answer["nats"] === true ? "connected" : "away"],
        ["stores", textOf(answer, "stores")],
        ["connections", states.length === 0 ? "none" : states.join(", ")],
        ...Object.keys(queues).map(
          (name) => [name.replaceAll("_", " "), textOf(queues, name)] as const,
        ),
      ]),
      table(
        ["worker", "processes", "since"],
        workers,
        "No worker is alive: nothing is sent or received.",
      ),
      ...(attention.length === 0
        ? []
        : [`Needs you:\n${table(["store", "name", "connection", "reason"], attention, "")}`]),
    ].join("\n\n");
  });
}

export const status: Command = {
  words: [],
  about: "Show workers, connections and queues",
  flags: {},
  run,
};
