// The files that were uploaded, encrypted as they are, and the keys to them.
import { createHash, createHmac, hkdfSync, randomBytes } from "node:crypto";
import { aesDecryptWithIV, aesEncrypWithIV } from "@whiskeysockets/baileys";
import type { MediaKind } from "./content.ts";

/** What a message says of its file. */
export interface MediaReference {
  url: string;
  directPath: string;
  mediaKey: Uint8Array;
  fileSha256: Uint8Array;
  fileEncSha256: Uint8Array;
  fileLength: number;
}

/** Which file a message carries. */
export interface MessageMedia {
  kind: MediaKind;
  reference: Partial<MediaReference>;
}

const KEY_INFO: Readonly<Record<MediaKind, string>> = {
  image: "WhatsApp Image Keys",
  sticker: "WhatsApp Image Keys",
  video: "WhatsApp Video Keys",
  audio: "WhatsApp Audio Keys",
  voice: "WhatsApp Audio Keys",
  document: "WhatsApp Document Keys",
};
const MAC_LENGTH = 10;
const MOST_MESSAGES = 20_000;
/** Bytes kept in all; the oldest files go first, so that a sandbox can run for months. */
const MOST_BYTES = 512 * 1024 * 1024;

export class MediaShelf {
  readonly #host: () => string;
  readonly #files = new Map<string, Buffer>();
  readonly #ofMessages = new Map<string, MessageMedia>();
  #bytes = 0;

  /** `host` gives name and port as clients write them. */
  constructor(host: () => string) {
    this.#host = host;
  }

  get host(): string {
    return this.#host();
  }

  /** Keeps an encrypted file; gives the path under which it is downloaded. */
  put(folder: string, sealed: Buffer): string {
    const name = createHash("sha256").update(sealed).digest("base64url");
    const path = `/v/${folder}/${name}`;
    if (!this.#files.has(path)) this.#bytes += sealed.length;
    this.#files.set(path, sealed);
    for (const [oldest, { length }] of this.#files) {
      if (this.#bytes <= MOST_BYTES || oldest === path) break;
      this.#files.delete(oldest);
      this.#bytes -= length;
    }
    return path;
  }

  get(path: string): Buffer | null {
    return this.#files.get(path) ?? null;
  }

  /** Notes which file a message carries. */
  note(messageId: string, media: MessageMedia): void {
    this.#ofMessages.set(messageId, media);
    for (const oldest of this.#ofMessages.keys()) {
      if (this.#ofMessages.size <= MOST_MESSAGES) break;
      this.#ofMessages.delete(oldest);
    }
  }

  /** The file of a message, decrypted; null when it has none or the file is not here. */
  ofMessage(messageId: string): Buffer | null {
    const media = this.#ofMessages.get(messageId);
    return media === undefined ? null : this.open(media.kind, media.reference);
  }

  /** Encrypts and keeps a file, as a phone does before it sends it. */
  seal(kind: MediaKind, bytes: Uint8Array): MediaReference {
    const mediaKey = randomBytes(32);
    const { iv, cipherKey, macKey } = keysOf(kind, mediaKey);
    const encrypted = aesEncrypWithIV(Buffer.from(bytes), cipherKey, iv);
    const sealed = Buffer.concat([encrypted, macOf(macKey, iv, encrypted)]);
    const directPath = this.put(kind, sealed);
    return {
      url: `https://${this.host}${directPath}`,
      directPath,
      mediaKey,
      fileSha256: createHash("sha256").update(bytes).digest(),
      fileEncSha256: createHash("sha256").update(sealed).digest(),
      fileLength: bytes.length,
    };
  }

  /** The bytes of a file, decrypted; null when it is not here. Throws when it is not what the message says. */
  open(kind: MediaKind, reference: Partial<MediaReference>): Buffer | null {
    const sealed = this.get(reference.directPath ?? "");
    if (sealed === null || reference.mediaKey === undefined) return null;
    const { iv, cipherKey, macKey } = keysOf(kind, reference.mediaKey);
    const encrypted = sealed.subarray(0, -MAC_LENGTH);
    if (!macOf(macKey, iv, encrypted).equals(sealed.subarray(-MAC_LENGTH)))
      throw new Error("The file does not fit the key in the message.");
    const bytes = aesDecryptWithIV(encrypted, cipherKey, iv);
    const digest = createHash("sha256").update(bytes).digest();
    if (!digest.equals(reference.fileSha256 ?? digest))
      throw new Error("The file is not the one that the message names.");
    return bytes;
  }
}

function keysOf(
  kind: MediaKind,
  mediaKey: Uint8Array,
): { iv: Buffer; cipherKey: Buffer; macKey: Buffer } {
  const keys = Buffer.from(hkdfSync("sha256", mediaKey, Buffer.alloc(0), KEY_INFO[kind], 112));
  return {
    iv: keys.subarray(0, 16),
    cipherKey: keys.subarray(16, 48),
    macKey: keys.subarray(48, 80),
  };
}

function macOf(key: Buffer, iv: Buffer, encrypted: Buffer): Buffer {
  return createHmac("sha256", key).update(iv).update(encrypted).digest().subarray(0, MAC_LENGTH);
}
