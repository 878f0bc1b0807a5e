// Files both ways: what is sent is what arrives, encrypted on the way, and what can't be had is said in words.
import { MediaFault } from "@thikaa/connector-kit";
import type { AddressedFile, ProviderFile } from "@thikaa/connector-kit";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Linked, shop, zainab } from "./fixtures/linked.ts";

/** A picture that any program opens: one pixel. */
const picture = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);
/** Longer than any piece in which bytes travel. */
const long = Buffer.alloc(300_001, readFileSync(import.meta.filename));

const files: Readonly<Record<string, { bytes: Buffer; mime: string | null; name: string | null }>> =
  {
    "https://shop.example/a.png": { bytes: picture, mime: "image/png", name: "a.png" },
    "https://shop.example/long.pdf": { bytes: long, mime: "application/pdf", name: "قائمة.pdf" },
    "https://shop.example/v.ogg": { bytes: long, mime: "audio/ogg", name: null },
  };

let linked: Linked;
beforeAll(async () => {
  linked = await Linked.open({
    through: () => ({
      openAddress: (url) => {
        const file = files[url];
        if (file === undefined)
          return Promise.reject(
            new MediaFault({ reason: { code: "media_not_found", message: "none" }, final: true }),
          );
        return Promise.resolve(addressed(file));
      },
    }),
  });
});
afterAll(() => linked.close());

function addressed({ bytes, mime, name }: (typeof files)[string] & object): AddressedFile {
  return {
    mime,
    name,
    size: bytes.length,
    async *read() {
      for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
    },
    discard: () => undefined,
  };
}

async function bytesOf({ bytes }: ProviderFile): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of bytes) pieces.push(piece);
  return Buffer.concat(pieces);
}

describe("out", () => {
  test.each([
    { url: "https://shop.example/a.png", kind: "image", text: "كم السعر؟ 🌙" },
    { url: "https://shop.example/long.pdf", kind: "document", text: "the list" },
    { url: "https://shop.example/v.ogg", kind: "voice", text: null },
  ] as const)("$kind arrives whole, with its words", async ({ url, kind, text }) => {
    const outcome = await linked.send(zainab, { text, media: { url, kind } });
    expect(outcome).toMatchObject({ class: "sent" });
    const shown = linked.standIn.messages(zainab, shop).at(-1);
    expect(shown?.content).toMatchObject({ kind, ...(text === null ? {} : { caption: text }) });
    const arrived = linked.standIn.media(zainab, shown?.messageId ?? "");
    expect(Buffer.from(arrived ?? []).equals(files[url]?.bytes ?? Buffer.alloc(0))).toBe(true);
  });

  test("words that are too long for a caption follow the file", async () => {
    const text = "و".repeat(1_025);
    const media = { url: "https://shop.example/a.png", kind: "image" } as const;
    await linked.send(zainab, { text, media });
    const kinds = linked.standIn.messages(zainab, shop).map(({ content }) => content?.kind);
    expect(kinds.slice(-2)).toEqual(["image", "text"]);
  });

  test("a kind that nobody named is what the file is", async () => {
    const media = { url: "https://shop.example/a.png", kind: "document", guessed: true } as const;
    await linked.send(zainab, { media });
    expect(linked.standIn.messages(zainab, shop).at(-1)?.content?.kind).toBe("image");
  });

  test.each([
    { what: "a file that is not there", url: "https://shop.example/none", kind: "image" },
    { what: "a file of another type", url: "https://shop.example/long.pdf", kind: "video" },
  ] as const)("$what is refused for good", async ({ url, kind }) => {
    const before = linked.standIn.messages(zainab, shop).length;
    expect(await linked.send(zainab, { media: { url, kind } })).toMatchObject({
      class: "rejected",
    });
    expect(linked.standIn.messages(zainab, shop)).toHaveLength(before);
  });

  test("while WhatsApp takes no files, the message waits", async () => {
    const fault = linked.standIn.faults.add({
      kind: "media",
      direction: "upload",
      status: 500,
      times: "always",
    });
    const media = { url: "https://shop.example/a.png", kind: "image" } as const;
    expect(await linked.send(zainab, { media })).toMatchObject({ class: "unavailable" });
    fault.remove();
    expect(await linked.send(zainab, { media })).toMatchObject({ class: "sent" });
  });
});

describe("in", () => {
  async function receive(content: Parameters<Linked["standIn"]["send"]>[0]["content"]) {
    const { messageId } = await linked.standIn.send({ from: zainab, to: shop, content });
    await linked.standIn.settled(shop);
    const said = linked.converted.find(
      (one) => one.kind === "message" && one.provider_message_id === messageId,
    );
    if (said?.kind !== "message") throw new Error("The message did not come in.");
    return said;
  }

  const open = (reference: string) =>
    linked.account.media?.open(reference, AbortSignal.timeout(10_000)) ??
    Promise.reject(new Error("no media facet"));

  test.each([
    { kind: "image", mime: "image/png", bytes: picture, caption: "هذا" },
    { kind: "document", mime: "application/pdf", bytes: long, name: "قائمة.pdf" },
    { kind: "voice", mime: "audio/ogg; codecs=opus", bytes: long },
    { kind: "audio", mime: "audio/mpeg", bytes: long },
    { kind: "video", mime: "video/mp4", bytes: long, caption: "see" },
    { kind: "sticker", mime: "image/webp", bytes: picture },
  ] as const)("$kind is told and fetched whole", async (content) => {
    const said = await receive(content);
    const [media] = said.media;
    expect(said).toMatchObject({
      type: content.kind,
      text: "caption" in content ? content.caption : null,
    });
    expect(media).toMatchObject({ type: content.kind, size: content.bytes.length });
    expect(media?.mime).toBe(content.mime.split(";")[0]);
    if ("name" in content) expect(media?.name).toBe(content.name);
    const file = await open(media?.reference ?? "");
    expect((await bytesOf(file)).equals(content.bytes)).toBe(true);
  });

  test("a file that WhatsApp no longer has is expired; one that it can't give now is tried again", async () => {
    const said = await receive({ kind: "image", mime: "image/png", bytes: picture });
    const reference = said.media[0]?.reference ?? "";
    for (const [status, final] of [
      [404, true],
      [503, false],
    ] as const) {
      linked.standIn.faults.add({ kind: "media", direction: "download", status });
      await expect(open(reference)).rejects.toMatchObject({ final });
    }
    expect(await bytesOf(await open(reference))).toEqual(picture);
  });

  test("a file that was tampered with is refused", async () => {
    const said = await receive({ kind: "image", mime: "image/png", bytes: picture });
    const reference = JSON.parse(said.media[0]?.reference ?? "") as Record<string, string>;
    const other = Buffer.from(reference["key"] ?? "", "base64");
    other.writeUInt8(other.readUInt8(0) ^ 1, 0);
    const changed = JSON.stringify({ ...reference, key: other.toString("base64") });
    await expect(bytesOf(await open(changed))).rejects.toMatchObject({ final: true });
  });

  test.each(["//evil.example/x", "https://evil.example/x", "@evil.example"])(
    "a path like %s leads nowhere",
    async (path) => {
      const reference = JSON.stringify({ path, key: "AA==", sha256: null, keyKind: "image" });
      await expect(open(reference)).rejects.toMatchObject({ final: true });
    },
  );
});
