// Opens customers' files at Telegram: asks for a path, then streams the bytes, with the token kept out of every error.
import { MediaFault } from "@thikaa/connector-kit";
import type { MediaFacet } from "@thikaa/connector-kit";
import { mediaReasonOf } from "@thikaa/schema";
import type { MediaReasonCode } from "@thikaa/schema";
import type { TelegramClient } from "./platform/client.ts";
import { retryAfterMsOf, TelegramCallError } from "./platform/errors.ts";

/** A path is asked for anew each time: it is good for an hour only. */
export function telegramMedia(client: TelegramClient): MediaFacet {
  return {
    async open(reference, signal) {
      try {
        const path = await client.getFilePath(reference, signal);
        return { bytes: await client.download(path, signal), mime: null, name: null };
      } catch (error) {
        throw error instanceof TelegramCallError ? toFault(error) : error;
      }
    },
  };
}

/** What Telegram's refusals mean for a file; the first that fits holds, anything else may pass. */
const finalRefusals: readonly { says: RegExp; code: MediaReasonCode; message?: string }[] = [
  {
    says: /file is too big/i,
    code: "media_too_large",
    message: "Telegram gives out files of at most 20 MB to bots.",
  },
  { says: /temporarily unavailable/i, code: "media_unreachable" },
  { says: /invalid file_id|wrong file_id|wrong file identifier/i, code: "media_expired" },
];

function toFault(error: TelegramCallError): MediaFault {
  const { failure } = error;
  const refusal =
    failure.kind === "refused" && failure.code === 400
      ? finalRefusals.find(({ says }) => says.test(failure.description))
      : undefined;
  const code = refusal?.code ?? "media_unreachable";
  const retryAfterMs = retryAfterMsOf(error);
  return new MediaFault({
    reason: mediaReasonOf(code, refusal?.message),
    final: code !== "media_unreachable",
    ...(retryAfterMs === null ? {} : { retryAfterMs }),
  });
}
