// `connection pair` as a person and a program use it, with a real host of paper phones behind the console.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { startConnectorHost } from "@thikaa/connector-kit/host";
import { createLog } from "@thikaa/runtime";
import type { Service } from "@thikaa/runtime";
import { natsUrl, paperPairing, PaperPhones, readQrCode, waitFor } from "@thikaa/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openHouse } from "./fixtures/house.ts";
import type { Child, House } from "./fixtures/house.ts";
import { LiveBlock } from "./live-block.ts";
import { drawQrCode } from "./qr-drawing.ts";

const phones = new PaperPhones("wd");
let house: House;
let host: Service;
let mediaFolder: string;
beforeAll(async () => {
  house = await openHouse();
  mediaFolder = await mkdtemp(join(tmpdir(), "thikaa-phones-"));
  host = await startConnectorHost({
    connector: phones.connector,
    config: {
      ...house.settings,
      natsUrl: natsUrl(),
      environment: "development",
      mediaStoreUrl: pathToFileURL(mediaFolder).href,
      webhookBase: null,
      baseUrls: { live: "https://paper.example", sandbox: null },
      http: null,
      logLevel: "silent",
      log: createLog({ name: "test", level: "silent" }),
    },
  });
  await house.thikaa("store", "create", "shop");
});
afterAll(async () => {
  await host.stop();
  await house.close();
  await rm(mediaFolder, { recursive: true, force: true });
});

/** A new connection's id; `add` ends at once and says that it waits for its phone. */
async function add(): Promise<string> {
  const words = ["connection", "add", "wd", "--store", "shop", "--name", "main", "--json"];
  const { code, stdout } = await house.thikaa(...words);
  const added = JSON.parse(stdout) as Record<string, unknown>;
  expect(code).toBe(0);
  expect(added).toMatchObject({ state: "attention", reason: { code: "not_paired" } });
  expect(added["next"]).toContain(`connection pair ${String(added["id"])}`);
  return String(added["id"]);
}

/** What a command has printed with `--json` so far. */
const linesOf = ({ output }: Child) =>
  output.stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

const shownBy = (child: Child, name: "qr" | "code") =>
  waitFor(() => linesOf(child).find((line) => name in line)?.[name] as string | undefined, {
    what: `a ${name}`,
  });

test("a program sees one object a line, and 0 when the phone is linked", async () => {
  const id = await add();
  const child = house.begin(["connection", "pair", id, "--json"], "");
  expect(phones.use(await shownBy(child, "qr"), "9647701110001")).toBe(true);
  expect(await child.ended).toBe(0);
  const lines = linesOf(child);
  expect(lines.find((line) => "qr" in line)).toMatchObject({
    state: "pairing",
    expires_at: expect.stringMatching(/Z$/),
  });
  expect(lines.at(-1)).toEqual({ state: "connected", address: "9647701110001" });
  // Again, there is nothing to do.
  expect(await house.thikaa("connection", "pair", id)).toMatchObject({
    code: 0,
    stdout: "+9647701110001 is linked. The connection is up.\n",
  });
});

test("a person reads what it may cost, what to open on the phone, and sees the code drawn and renewed", async () => {
  const id = await add();
  phones.codeMs = 600;
  const child = house.begin(["connection", "pair", id], "");
  await waitFor(() => child.output.stdout.split("Good until").length > 2, { what: "two codes" });
  phones.codeMs = 20_000;
  const { stdout } = child.output;
  expect(stdout.startsWith(paperPairing.notice.en)).toBe(true);
  expect(stdout).toContain("1. Unfold the phone.\n  2. Press it on the code.");
  expect(stdout).toMatch(/█▀▀▀▀▀█/);
  expect(stdout).not.toContain("\u001B");
  child.process.kill("SIGINT");
  expect(await child.ended).toBe(1);
  expect(child.output.stderr).toContain("no code is shown any more");
  expect((await house.thikaa("connection", "show", id)).stdout).toContain("No phone is linked");
});

test("a number gets a code of eight to type; one that is none is refused", async () => {
  const id = await add();
  const child = house.begin(["connection", "pair", id, "--code", "+964 770 111 0003"], "");
  const [, typed = ""] = await waitFor(
    () => /^ {2}(\w{4}-\w{4})$/m.exec(child.output.stdout) ?? undefined,
    {
      what: "a code",
    },
  );
  expect(child.output.stdout).toContain(paperPairing.typeSteps[0]?.en);
  phones.use(typed.replace("-", ""), "9647701110003");
  expect(await child.ended).toBe(0);
  expect(await house.thikaa("connection", "pair", await add(), "--code", "0770")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("with its country code"),
  });
});

test("a pairing that fails ends with its reason and how to go on", async () => {
  [phones.codeMs, phones.codes] = [300, 1];
  const id = await add();
  const person = await house.thikaa("connection", "pair", id);
  const program = await house.thikaa("connection", "pair", id, "--json");
  [phones.codeMs, phones.codes] = [20_000, 6];
  expect(person).toMatchObject({ code: 1, stderr: expect.stringContaining(`pair ${id}`) });
  expect(person.stderr).toContain(paperPairing.reasons.qr_expired.en);
  const last = JSON.parse(program.stdout.trim().split("\n").at(-1) ?? "") as unknown;
  expect(program.code).toBe(1);
  expect(last).toMatchObject({ state: "attention", reason: { code: "qr_expired" } });
});

test("a link for another screen is made and opens", async () => {
  const made = await house.thikaa("connection", "pair", await add(), "--link", "--json");
  const { url } = JSON.parse(made.stdout) as { url: string };
  expect(url).toMatch(/\/pair\/[\w-]{43}$/);
  expect((await fetch(url)).status).toBe(200);
});

test("what is not there is told in words, and what was left out by how it is written", async () => {
  expect(await house.thikaa("connection", "pair", "con_nothing")).toMatchObject({ code: 1 });
  expect(await house.thikaa("connection", "pair")).toMatchObject({ code: 2 });
});

/** What a camera sees of the drawing: a light block is light, anything else dark. */
function readDrawing(lines: readonly string[]): string | null {
  const [scale, width] = [3, lines[0]?.length ?? 0];
  const rows = lines.flatMap((line) => [
    Array.from(line, (block) => "█▀".includes(block)),
    Array.from(line, (block) => "█▄".includes(block)),
  ]);
  const pixels = rows.flatMap((row) =>
    Array.from({ length: scale }, () =>
      row.flatMap((light) => Array.from({ length: scale * 4 }, () => (light ? 255 : 0))),
    ).flat(),
  );
  const data = Uint8Array.from(pixels);
  return readQrCode({ data, width: width * scale, height: rows.length * scale });
}

test("what is drawn can be scanned, has light around it, and on a terminal its own colours", () => {
  const text = `2@${"Ab3/+".repeat(45)}`;
  const { lines, width } = drawQrCode(text, false);
  expect(readDrawing(lines)).toBe(text);
  expect(lines.every((line) => line.length === width && /^██.*██$/.test(line))).toBe(true);
  expect(width).toBeLessThan(80);
  expect(drawQrCode(text, true).lines[0]).toBe(
    `\u001B[38;5;231;48;5;16m${"█".repeat(width)}\u001B[0m`,
  );
});

test("on a terminal a block is written anew in its place; one higher than the window begins a clean one", () => {
  let written = "";
  const screen = { isTTY: true, rows: 10, write: (text: string) => void (written += text) };
  const block = new LiveBlock(screen);
  block.show(["one", "two"]);
  block.show(["one", "two"]);
  block.show(["three"]);
  block.clear();
  expect(written).toBe("one\ntwo\n\u001B[2A\u001B[Jthree\n\u001B[1A\u001B[J");
  written = "";
  block.show(Array.from({ length: 10 }, () => "x"));
  block.clear();
  expect(written.endsWith("\u001B[2J\u001B[H")).toBe(true);
});
