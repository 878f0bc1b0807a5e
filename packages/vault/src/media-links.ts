// Links to media: who has one may read that file, and nothing of it can be altered.
import { createHmac, timingSafeEqual } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { fromWireId, toWireId } from "@thikaa/schema";
import { parseMasterKeys } from "./master-key.ts";

/** One file of one store. */
export interface LinkedMedia {
  readonly mediaId: string;
  readonly storeId: string;
}

const longestName = 120;

/**
 * Signs and checks links to media. A signature names the store, so that the row can be looked up by it, and when it ends, if ever.
 * The same media gives the same signature each time, as long as the first master key stays; links signed by an older one
 * open while that one is still listed.
 */
export class MediaLinks {
  readonly #keys: readonly KeyObject[];
  readonly #current: KeyObject;

  /** `masterKeys` as `Vault` takes them. */
  constructor(masterKeys: string) {
    const [first, ...rest] = parseMasterKeys(masterKeys);
    const purpose = "thikaa media links v1";
    this.#current = first.derive(purpose);
    this.#keys = [this.#current, ...rest.map((key) => key.derive(purpose))];
  }

  /** The signature, safe in a URL. Without `expires` it is good for ever. */
  sign(media: LinkedMedia, expires?: Date): string {
    const end = expires === undefined ? "" : Math.floor(expires.getTime() / 1000).toString(36);
    const claims = `${toWireId("store", media.storeId)}.${end}`;
    return `${claims}.${macOf(this.#current, media.mediaId, claims).toString("base64url")}`;
  }

  /** The store whose media it opens; `null` when it was altered, is another media's, or has ended. */
  verify(mediaId: string, signature: string, now: Date = new Date()): LinkedMedia | null {
    const [store = "", end = "", mac = "", ...rest] = signature.split(".");
    const storeId = fromWireId("store", store);
    const given = Buffer.from(mac, "base64url");
    // Base64 has many spellings of the same bytes; only ours is a link that we made.
    if (rest.length > 0 || storeId === null || given.toString("base64url") !== mac) return null;
    const claims = `${store}.${end}`;
    const genuine = this.#keys.some((key) => {
      const wanted = macOf(key, mediaId, claims);
      return wanted.length === given.length && timingSafeEqual(wanted, given);
    });
    const ended = end !== "" && Number.parseInt(end, 36) * 1000 <= now.getTime();
    return genuine && !ended ? { mediaId, storeId } : null;
  }

  /** The path of a link, to be put behind the house's public address. */
  path(media: LinkedMedia & { readonly name: string | null }, expires?: Date): string {
    const name = encodeURIComponent(mediaFileName(media.name));
    return `/media/${toWireId("media", media.mediaId)}/${name}?sig=${this.sign(media, expires)}`;
  }
}

/**
 * A file's name as it stands in links and downloads: without folders, control characters, and marks that turn the
 * direction of writing, by which `gpj.exe` could look like `exe.jpg`. `file` when nothing is left.
 */
export function mediaFileName(name: string | null): string {
  const clean = (name ?? "")
    .toWellFormed()
    .normalize("NFC")
    .replaceAll(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, "")
    .replaceAll(/["/\\]/g, "_")
    .trim();
  const letters = Array.from(clean);
  const ending = /\.[\p{L}\p{N}]{1,10}$/u.exec(clean)?.[0] ?? "";
  const short =
    letters.length <= longestName
      ? clean
      : letters.slice(0, longestName - ending.length).join("") + ending;
  return /^\.*$/.test(short) ? "file" : short;
}

function macOf(key: KeyObject, mediaId: string, claims: string): Buffer {
  return createHmac("sha256", key)
    .update(`${toWireId("media", mediaId)}.${claims}`)
    .digest();
}
