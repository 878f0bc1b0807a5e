// Opens a file at an address that a user gave, and says in plain words why it can't.
import { DownloadTooLargeError, EgressError } from "@thikaa/egress";
import type { Download, Downloader } from "@thikaa/egress";
import { mediaReasonOf, mediaReasons } from "@thikaa/schema";
import type { MediaReasonCode } from "@thikaa/schema";
import { MediaFault } from "../media.ts";
import type { AddressedFile } from "../media.ts";

const limits = { totalTimeoutMs: 90_000, stallTimeoutMs: 10_000 } as const;

/** Throws `MediaFault` for an address that is refused, a file that is not there, and a server that does not answer. */
export async function openAddress(
  downloader: Downloader,
  url: string,
  signal: AbortSignal,
): Promise<AddressedFile> {
  const download = await downloader.open({ url, signal, ...limits }).catch((error: unknown) => {
    throw toFault(error);
  });
  const { status, mime, name, size } = download;
  if (status < 200 || status >= 300) {
    download.discard();
    throw statusFault(status);
  }
  return {
    mime,
    name,
    size,
    read: (maxBytes) => read(download, maxBytes),
    discard: () => download.discard(),
  };
}

async function* read(download: Download, maxBytes: number): AsyncGenerator<Uint8Array> {
  try {
    yield* download.read(maxBytes);
  } catch (error) {
    throw toFault(error);
  }
}

function statusFault(status: number): MediaFault {
  const mayPass = status >= 500 || status === 408 || status === 429;
  return fault(mayPass ? "media_unreachable" : "media_not_found", `HTTP ${status}`, !mayPass);
}

function toFault(error: unknown): unknown {
  if (error instanceof DownloadTooLargeError)
    return new MediaFault({ reason: mediaReasonOf("media_too_large"), final: true });
  if (!(error instanceof EgressError)) return error;
  if (error.code === "blocked_address" || error.code === "invalid_url")
    return fault("media_address_refused", error.message, true);
  const isMistaken =
    error.code === "tls_failed" ||
    (error.code === "dns_failed" && codeOf(error.cause) !== "EAI_AGAIN");
  return fault("media_unreachable", error.message, isMistaken);
}

function fault(code: MediaReasonCode, why: string, final: boolean): MediaFault {
  return new MediaFault({
    reason: mediaReasonOf(code, `${mediaReasons[code].en} (${why})`),
    final,
  });
}

function codeOf(error: unknown): unknown {
  return typeof error === "object" && error !== null && "code" in error ? error.code : null;
}
