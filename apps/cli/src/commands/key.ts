// Commands for API keys.
import type { Command, Context } from "../command.ts";
import { fields, table } from "../output.ts";
import { listFlag, listOf, numberFlag, objectOf, textOf, withoutOk } from "../values.ts";

async function create({ client, output, flags }: Context): Promise<void> {
  const store = flags.text("store") ?? "";
  const answer = await client.request("POST", `/stores/${encodeURIComponent(store)}/keys`, {
    name: flags.text("name"),
    channels: listFlag(flags.text("channels")),
    webhook: flags.text("webhook"),
    events: listFlag(flags.text("events")),
    rate: numberFlag("rate", flags.text("rate")),
    expires_at: flags.text("expires"),
  });
  const { instance_id, api_key, webhook_secret } = answer;
  const lines = [
    ["instance_id", textOf(answer, "instance_id")],
    ["api_key", textOf(answer, "api_key")],
    ["webhook_secret", textOf(answer, "webhook_secret")],
  ] as const;
  output.result(
    { instance_id, api_key, webhook_secret },
    () => `${fields(lines)}\n\nKeep the secrets now: they are never shown again.`,
  );
}

async function list({ client, output, flags }: Context): Promise<void> {
  const answer = await client.request(
    "GET",
    `/stores/${encodeURIComponent(flags.text("store") ?? "")}/keys`,
  );
  const rows = listOf(answer, "keys").map((key) => [
    ...["instance_id", "name", "status", "key"].map((name) => textOf(key, name)),
    Array.isArray(key["channels"]) ? key["channels"].join(",") : "",
    textOf(key, "rate"),
    textOf(key, "webhook"),
  ]);
  output.result(withoutOk(answer), () =>
    table(
      ["instance", "name", "status", "key", "channels", "rate", "webhook"],
      rows,
      "The store has no key yet.",
    ),
  );
}

function setStatus(verb: "revoke" | "disable" | "enable") {
  return async ({ client, output, words }: Context): Promise<void> => {
    const id = words[0] ?? "";
    const key = objectOf(
      await client.request("POST", `/keys/${encodeURIComponent(id)}/${verb}`),
      "key",
    );
    output.result(key, () => `${id} is ${textOf(key, "status")} now.`);
  };
}

async function change({ client, output, words, flags }: Context): Promise<void> {
  const answer = await client.request("PATCH", `/keys/${encodeURIComponent(words[0] ?? "")}`, {
    name: flags.text("name"),
    channels: listFlag(flags.text("channels")),
    webhook: flags.has("no-webhook") ? null : flags.text("webhook"),
    events: listFlag(flags.text("events")),
    rate: numberFlag("rate", flags.text("rate")),
  });
  const secret = textOf(answer, "webhook_secret");
  output.result(
    withoutOk(answer),
    () =>
      `${words[0] ?? ""} is changed.${secret === "" ? "" : `\nwebhook_secret  ${secret}\nKeep it now: it is never shown again.`}`,
  );
}

const changeable = {
  webhook: { value: "URL", about: "Where its events are posted" },
  events: {
    value: "LIST",
    about: "Which events: message.received and message.updated (default), message.status",
  },
  rate: { value: "N", about: "Requests a minute; 60 otherwise" },
} as const;

export const keyCommands: Readonly<Record<string, Command>> = {
  "key create": {
    words: [],
    about: "Make an API key; its secrets are shown once",
    flags: {
      store: { value: "STORE", about: "The store it is for", required: true },
      name: { value: "NAME", about: "Its name for people", required: true },
      channels: { value: "LIST", about: "The channels it may use, like tg,wd", required: true },
      ...changeable,
      expires: { value: "TIME", about: "When it ends, like 2027-01-31T00:00:00Z" },
    },
    run: create,
  },
  "key list": {
    words: [],
    about: "List a store's keys, without secrets",
    flags: { store: { value: "STORE", about: "The store", required: true } },
    run: list,
  },
  "key change": {
    words: ["<instance_id>"],
    about: "Change a key",
    flags: {
      name: { value: "NAME", about: "Its name for people" },
      channels: { value: "LIST", about: "The channels it may use" },
      ...changeable,
      "no-webhook": { value: null, about: "Take its webhook away" },
    },
    run: change,
  },
  "key revoke": {
    words: ["<instance_id>"],
    about: "End a key for good",
    flags: {},
    run: setStatus("revoke"),
  },
  "key disable": {
    words: ["<instance_id>"],
    about: "Switch a key off",
    flags: {},
    run: setStatus("disable"),
  },
  "key enable": {
    words: ["<instance_id>"],
    about: "Switch a key on again",
    flags: {},
    run: setStatus("enable"),
  },
};
