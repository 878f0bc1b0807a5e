// Commands for stores and their credit.
import type { Answer } from "../client.ts";
import type { Command, Context } from "../command.ts";
import { clock, fields, table } from "../output.ts";
import { listOf, numberFlag, objectOf, textOf, withoutOk } from "../values.ts";

function storeWords(store: Answer): string {
  return fields([
    ["store", textOf(store, "slug")],
    ["name", textOf(store, "name")],
    ["plan", textOf(store, "plan")],
    ["status", textOf(store, "status")],
    ["credits", textOf(store, "balance")],
    ["environment", textOf(store, "environment")],
    ["calling code", textOf(store, "default_calling_code")],
    ["made", clock(textOf(store, "created_at"))],
  ]);
}

async function create({ client, output, words, flags }: Context): Promise<void> {
  const slug = words[0] ?? "";
  const body = {
    slug,
    name: flags.text("name"),
    plan: flags.text("plan"),
    credits: numberFlag("credits", flags.text("credits")),
    default_calling_code: flags.text("calling-code"),
  };
  const store = objectOf(await client.request("POST", "/stores", body), "store");
  output.result(
    store,
    () =>
      `${storeWords(store)}\n\nNext: make a key with\n  npm run -s thikaa -- key create --store ${slug} --name my-app --channels <channels>`,
  );
}

async function credit({ client, output, words }: Context): Promise<void> {
  const [slug = "", amount = ""] = words;
  const answer = await client.request("POST", `/stores/${encodeURIComponent(slug)}/credit`, {
    credits: numberFlag("credits", amount),
  });
  output.result(withoutOk(answer), () => `${slug} has ${textOf(answer, "balance")} credits now.`);
}

async function list({ client, output }: Context): Promise<void> {
  const answer = await client.request("GET", "/stores");
  const rows = listOf(answer, "stores").map((store) =>
    ["slug", "name", "plan", "status", "balance", "environment"].map((name) => textOf(store, name)),
  );
  output.result(withoutOk(answer), () =>
    table(
      ["store", "name", "plan", "status", "credits", "environment"],
      rows,
      "There is no store yet. Make one: npm run -s thikaa -- store create my-shop --credits 100",
    ),
  );
}

async function show({ client, output, words }: Context): Promise<void> {
  const store = objectOf(
    await client.request("GET", `/stores/${encodeURIComponent(words[0] ?? "")}`),
    "store",
  );
  output.result(store, () => storeWords(store));
}

export const storeCommands: Readonly<Record<string, Command>> = {
  "store create": {
    words: ["<slug>"],
    about: "Make a store",
    flags: {
      name: { value: "NAME", about: "Its name for people; the slug otherwise" },
      plan: { value: "PLAN", about: "free, starter, professional (default) or enterprise" },
      credits: { value: "N", about: "Its first credits" },
      "calling-code": {
        value: "CODE",
        about: "Country calling code for numbers written without one, like 964",
      },
    },
    run: create,
  },
  "store credit": {
    words: ["<slug>", "<credits>"],
    about: "Add credits to a store; a number below 0 takes them away",
    flags: {},
    run: credit,
  },
  "store list": { words: [], about: "List the stores", flags: {}, run: list },
  "store show": { words: ["<slug>"], about: "Show a store", flags: {}, run: show },
};
