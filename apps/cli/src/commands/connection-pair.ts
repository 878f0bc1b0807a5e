// `connection pair`: shows the code that links a phone, renews it in its place, and ends when the phone is linked or it failed.
import { channels, isChannelCode } from "@thikaa/schema";
import type { PairingState } from "@thikaa/schema";
import type { Answer } from "../client.ts";
import type { Command, Context } from "../command.ts";
import { LiveBlock } from "../live-block.ts";
import { clock, printable } from "../output.ts";
import { Problem, usageProblem } from "../problem.ts";
import { drawQrCode } from "../qr-drawing.ts";
import { listOf, objectOf, textOf } from "../values.ts";

const command = "npm run -s thikaa -- connection pair";

async function pair(context: Context): Promise<number> {
  const { client, output, words, flags } = context;
  const id = words[0] ?? "";
  const phone = flags.text("code");
  if (flags.has("link")) {
    if (phone !== undefined) throw usageProblem("--link and --code don't go together.");
    await makeLink(context, id);
    return 0;
  }
  const connection = await client.request("GET", `/connections/${encodeURIComponent(id)}`);
  const channel = textOf(connection, "channel");
  const asked = await client.pair(id, phone === undefined ? {} : { phone });
  if (!output.json && asked.state !== "connected")
    output.line(await instructions(context, { channel, typed: phone !== undefined }));
  return follow(context, { id, channel });
}

async function makeLink({ client, output }: Context, id: string): Promise<void> {
  const link = await client.createPairingLink(id);
  output.result(link, () =>
    [
      "Open this on another screen, by the one who has the phone; nobody signs in there:",
      "",
      `  ${link.url}`,
      "",
      `It is good until ${clock(link.expires_at)}, links one phone, and lets in whoever has it.`,
    ].join("\n"),
  );
}

/** What linking may mean, and what to open on the phone, in the channel's own words. */
async function instructions(
  { client }: Context,
  { channel, typed }: { channel: string; typed: boolean },
): Promise<string> {
  const described = listOf(await client.request("GET", "/channels"), "channels").find(
    (entry) => entry["channel"] === channel,
  );
  const pairing = objectOf(described ?? {}, "pairing");
  const steps = listOf(pairing, typed ? "typeSteps" : "scanSteps");
  const numbered = steps.map((step, index) => `  ${index + 1}. ${english(step)}`);
  return [english(objectOf(pairing, "notice")), "", ...numbered, ""].join("\n");
}

function english(text: Answer): string {
  return printable(textOf(text, "en"));
}

async function follow(
  { client, output, signal }: Context,
  { id, channel }: { id: string; channel: string },
): Promise<number> {
  const block = new LiveBlock(process.stdout);
  const onBreak = (why: string) => output.note(why);
  for await (const pairing of client.watchPairing(id, { signal, onBreak })) {
    if (output.json) output.result(pairing, () => "");
    else if (isOver(pairing)) block.clear();
    else block.show(linesOf(pairing));
    if (!isOver(pairing)) continue;
    if (pairing.state === "attention" || pairing.state === "off") throw failure(pairing, id);
    output.line(`${numberOf(pairing, channel)} is linked. The connection is up.`);
    return 0;
  }
  block.clear();
  // Whoever leaves would not see what a code that is still shown lets in.
  await client.cancelPairing(id);
  output.note("Ended: no code is shown any more.");
  return 1;
}

function isOver({ state }: PairingState): boolean {
  return ["connected", "limited", "attention", "off"].includes(state);
}

function failure({ state, reason }: PairingState, id: string): Problem {
  if (state === "off") return new Problem("The connection is switched off.");
  return new Problem(
    `${reason?.message ?? "No phone was linked."}\nTry again with: ${command} ${id}`,
  );
}

function numberOf({ address = "The phone" }: PairingState, channel: string): string {
  const isPhone = isChannelCode(channel) && channels[channel].recipient === "phone";
  return isPhone && /^\d+$/.test(address) ? `+${address}` : printable(address);
}

function linesOf({ qr, code, expires_at, reason }: PairingState): string[] {
  const until = expires_at === undefined ? "" : `Good until ${clock(expires_at)}`;
  if (code !== undefined)
    return [
      `  ${printable(code).replace(/^(.{4})(.{4})$/, "$1-$2")}`,
      "",
      `${until}. Ctrl-C ends it.`,
    ];
  if (qr !== undefined)
    return [...drawn(qr), "", `${until}; then another one comes by itself. Ctrl-C ends it.`];
  return [printable(reason?.message ?? "Getting a code …")];
}

/** Below the drawing: an empty line, the time that it lasts, and the cursor. */
const linesBelow = 3;

function drawn(qr: string): readonly string[] {
  const { columns, rows } = process.stdout;
  const isTerminal = process.stdout.isTTY === true;
  const { lines, width } = drawQrCode(qr, isTerminal);
  const height = lines.length + linesBelow;
  return isTerminal && (columns < width || rows < height)
    ? [
        `This window has ${columns} columns and ${rows} rows; the code needs ${width} and ${height}. Make it larger,`,
        "or end this with Ctrl-C and see the code elsewhere, with --link; or type one, with --code NUMBER.",
      ]
    : lines;
}

export const connectionPair: Command = {
  words: ["<id>"],
  about: "Link a phone to a connection: shows the code to scan, or to type",
  flags: {
    code: {
      value: "NUMBER",
      about: "Show a code to type on the phone of this number, like 9647701234567",
    },
    link: {
      value: null,
      about: "Make a link instead, for another screen: ten minutes, one phone",
    },
  },
  run: pair,
};
