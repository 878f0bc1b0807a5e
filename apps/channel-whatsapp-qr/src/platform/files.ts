// Fetches customers' files from WhatsApp and decrypts them on the way, never a whole file in memory.
import { createDecipheriv, createHash, createHmac } from "node:crypto";
import type { Dispatcher } from "undici";
import { Agent, request } from "undici";
import { getMediaKeys } from "@whiskeysockets/baileys";
import { MediaFault } from "@thikaa/connector-kit";
import { mediaReasonOf } from "@thikaa/schema";
import { officialUrl } from "../official-url.ts";
import type { MediaReference } from "../media-reference.ts";
import type { WhatsAppSocket } from "./socket.ts";

const officialHost = "mmg.whatsapp.net";
/** At the end of the bytes: the beginning of their authentication code. */
const codeLength = 10;
const headersMs = 20_000;

/** Throws `MediaFault`; so do the bytes. */
export async function openFile(
  { socket, baseUrl }: { socket: WhatsAppSocket; baseUrl: string },
  { path, key, sha256, keyKind }: MediaReference,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const host = baseUrl === officialUrl ? officialHost : await hostOf(socket);
  const { statusCode, body } = await request(`https://${host}${path}`, {
    ...dispatcherFor(baseUrl),
    headers: { origin: "https://web.whatsapp.com" },
    headersTimeout: headersMs,
    signal,
  }).catch(() => {
    throw unreachable("WhatsApp's file server could not be reached.");
  });
  if (statusCode !== 200) {
    await body.dump().catch(() => undefined);
    throw faultOfStatus(statusCode);
  }
  return decrypted(body, { ...(await getMediaKeys(Buffer.from(key, "base64"), keyKind)), sha256 });
}

let insecure: Agent | null = null;

/** A stand-in signs its own certificates; the real server's are checked. */
function dispatcherFor(baseUrl: string): { dispatcher?: Dispatcher } {
  if (baseUrl === officialUrl) return {};
  insecure ??= new Agent({ connect: { rejectUnauthorized: false } });
  return { dispatcher: insecure };
}

async function hostOf({ baileys }: WhatsAppSocket): Promise<string> {
  const { hosts } = await baileys.refreshMediaConn();
  return hosts[0]?.hostname ?? officialHost;
}

interface Keys {
  readonly iv: Uint8Array;
  readonly cipherKey: Uint8Array;
  readonly macKey?: Uint8Array | undefined;
  readonly sha256: string | null;
}

async function* decrypted(
  source: AsyncIterable<Uint8Array>,
  { iv, cipherKey, macKey, sha256 }: Keys,
): AsyncGenerator<Uint8Array> {
  const decipher = createDecipheriv("aes-256-cbc", cipherKey, iv);
  const code = createHmac("sha256", macKey ?? new Uint8Array()).update(iv);
  const digest = createHash("sha256");
  let held = Buffer.alloc(0);
  try {
    for await (const piece of source) {
      const bytes = Buffer.concat([held, piece]);
      const body = bytes.subarray(0, Math.max(0, bytes.length - codeLength));
      held = bytes.subarray(body.length);
      code.update(body);
      const plain = decipher.update(body);
      digest.update(plain);
      if (plain.length > 0) yield plain;
    }
  } catch {
    throw unreachable("The file's download from WhatsApp broke off.");
  }
  if (!code.digest().subarray(0, codeLength).equals(held)) throw damaged();
  const last = decipher.final();
  digest.update(last);
  if (sha256 !== null && digest.digest("base64") !== sha256) throw damaged();
  if (last.length > 0) yield last;
}

function faultOfStatus(status: number): MediaFault {
  return status === 404 || status === 410
    ? new MediaFault({ reason: mediaReasonOf("media_expired"), final: true })
    : unreachable(`WhatsApp's file server answered ${status}.`);
}

function unreachable(message: string): MediaFault {
  return new MediaFault({ reason: mediaReasonOf("media_unreachable", message), final: false });
}

function damaged(): MediaFault {
  return new MediaFault({
    reason: mediaReasonOf("media_unreachable", "The file that WhatsApp gave is damaged."),
    final: true,
  });
}
