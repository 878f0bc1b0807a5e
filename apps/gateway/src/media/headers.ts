// The headers of media: a stranger's file is downloaded, never run, guessed at or shared by caches.
import { mediaFileName } from "@thikaa/vault";

/** Stands on every answer under `/media`. */
export const guardHeaders = {
  "X-Content-Type-Options": "nosniff",
  "Content-Security-Policy": "default-src 'none'; sandbox",
  "Referrer-Policy": "no-referrer",
} as const;

export interface DescribedMedia {
  readonly mime: string | null;
  readonly name: string | null;
  readonly sha256: string;
}

/** What describes a file, whichever of its bytes are sent. The link of a file never comes to mean other bytes, so it may be kept for an hour. */
export function mediaHeaders(media: DescribedMedia): Record<string, string> {
  return {
    ...guardHeaders,
    "Content-Type": contentType(media.mime),
    "Content-Disposition": contentDisposition(media.name),
    ETag: etagOf(media),
    "Accept-Ranges": "bytes",
    "Cache-Control": "private, max-age=3600",
  };
}

/** By the bytes themselves. */
export function etagOf({ sha256 }: Pick<DescribedMedia, "sha256">): string {
  return `"${sha256}"`;
}

/** Whether an `If-None-Match` names this tag; weak tags count, as RFC 9110 says for it. */
export function namesTag(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
  if (header.trim() === "*") return true;
  return header.split(",").some((given) => given.trim().replace(/^W\//, "") === tag);
}

/** The name twice: in ASCII for old readers, and as it is by RFC 5987. */
export function contentDisposition(given: string | null): string {
  const name = mediaFileName(given);
  const ascii = name.replaceAll(/[^\x20-\x7e]|[%"\\]/gu, "_");
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encodeRfc5987(name)}`;
}

function encodeRfc5987(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /['()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** As the provider said it, when that can stand in a header. */
function contentType(mime: string | null): string {
  const wellWritten = /^[\w.+-]+\/[\w.+-]+(; ?[\w.+-]+=("[\w .+-]*"|[\w.+-]+))*$/;
  return mime !== null && wellWritten.test(mime) ? mime : "application/octet-stream";
}
