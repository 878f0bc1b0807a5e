// `connection add`: credentials in, checked by asking the provider; then waits for the first message and shows how to answer it.
import type { Answer } from "../client.ts";
import type { Command, Context } from "../command.ts";
import { usageProblem } from "../problem.ts";
import { SecretInput } from "../secret-input.ts";
import { listOf, objectOf, textOf, withoutOk } from "../values.ts";
import { connectionWords } from "./connection.ts";
import { waitForFirstMessage } from "./first-message.ts";

async function add(context: Context): Promise<void> {
  const { client, output, words, flags } = context;
  const store = flags.text("store") ?? "";
  const channel = words[0] ?? "";
  const storePath = `/stores/${encodeURIComponent(store)}`;
  // Asked before, so that a first message that comes at once is not missed.
  const after = Number(
    objectOf(await client.request("GET", storePath), "store")["last_sequence"] ?? 0,
  );
  const credentials = await readCredentials(context, channel);
  if (!output.json) output.note("Asking the provider …");
  const answer = withoutOk(
    await client.request("POST", `${storePath}/connections`, {
      channel,
      name: flags.text("name"),
      credentials,
    }),
  );
  const { id, name, address, state, reason, display, next } = answer;
  output.result({ id, channel, name, address, state, reason, display, next }, () =>
    connectionWords(answer),
  );
  if (output.json) return;
  if (state === "connected" && !flags.has("no-wait"))
    await waitForFirstMessage(context, {
      store,
      channel,
      connectionId: textOf(answer, "id"),
      link: textOf(objectOf(answer, "display"), "link"),
      after,
    });
  else output.line(`\n${textOf(answer, "next")}`);
}

/** Values of `--set`; on a terminal, required fields that are missing are asked for, secret ones without echo. */
async function readCredentials(
  { client, output, flags }: Context,
  channel: string,
): Promise<Record<string, string>> {
  const input = new SecretInput();
  const credentials: Record<string, string> = {};
  for (const given of flags.many("set")) {
    const equals = given.indexOf("=");
    if (equals < 1)
      throw usageProblem(`--set must be written like --set field=value, not '${given}'.`);
    const field = given.slice(0, equals);
    if (field in credentials) throw usageProblem(`--set ${field} was given twice.`);
    credentials[field] = await input.resolve(field, given.slice(equals + 1));
  }
  if (process.stdin.isTTY !== true || output.json) return credentials;
  for (const field of await missingFields(client, channel, credentials)) {
    output.note(textOf(objectOf(field, "help"), "en"));
    credentials[textOf(field, "name")] = await input.ask(
      `${textOf(objectOf(field, "label"), "en")}: `,
    );
  }
  return credentials;
}

async function missingFields(
  client: Context["client"],
  channel: string,
  given: Readonly<Record<string, string>>,
): Promise<Answer[]> {
  const described = listOf(await client.request("GET", "/channels"), "channels").find(
    (entry) => entry["channel"] === channel,
  );
  const fields = described === undefined ? [] : listOf(described, "credentials");
  return fields.filter(
    (field) =>
      field["level"] === "connection" &&
      field["required"] === true &&
      !(textOf(field, "name") in given),
  );
}

export const connectionAdd: Command = {
  words: ["<channel>"],
  about: "Connect an account to a store; the credentials are checked by asking the provider",
  flags: {
    store: { value: "STORE", about: "The store it is for", required: true },
    name: { value: "NAME", about: "Its name for people", required: true },
    set: {
      value: "FIELD=VALUE",
      about: "A credential; VALUE '-' is asked for or read from stdin, '@file' from a file",
      many: true,
    },
    "no-wait": { value: null, about: "Do not wait for the first message" },
  },
  run: add,
};
