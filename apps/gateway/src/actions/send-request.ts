// Reading a send: from the parsed body to cleaned values, or an error that names what is wrong. Pure.
import {
  ApiError,
  fromWireId,
  limits,
  mediaKindOfHint,
  mediaKindOfUrl,
  nearestName,
  sendBody,
  sendFields,
} from "@thikaa/schema";
import type {
  ErrorDetail,
  OutboundButton,
  OutboundContent,
  SendBody,
  Warning,
} from "@thikaa/schema";
import type { z } from "zod";

/** A well-formed send, before its recipient, channel and content were checked. */
export interface SendRequest {
  readonly body: SendBody;
  readonly content: OutboundContent;
  readonly sendAt: Date | null;
  readonly ttlSeconds: number;
  readonly warnings: readonly Warning[];
}

const dayMs = 86_400_000;

/** Reads a send, or throws `invalid_request` with every fault by its path. `now` in milliseconds. */
export function readSend(value: unknown, now: number): SendRequest {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new ApiError("invalid_request", { message: "The body must be a JSON object." });
  const parsed = sendBody.safeParse(value);
  if (!parsed.success) throw invalid(toDetails(parsed.error.issues, value, sendFields));
  const body = parsed.data;
  const warnings: Warning[] = [];
  const content = readContent(body, warnings);
  return {
    body,
    content,
    sendAt: readSendAt(body.send_at ?? null, now, warnings),
    ttlSeconds: body.ttl ?? limits.ttlSeconds.default,
    warnings,
  };
}

function readContent(body: SendBody, warnings: Warning[]): OutboundContent {
  const text = body.message?.trim() ? (body.message ?? null) : null;
  const media = readMedia(body, warnings);
  if (text === null && media === null && !body.location && !body.contact)
    throw invalid([
      {
        path: "message",
        message: "Write a 'message', or give a 'media_url', a 'location' or a 'contact'.",
      },
    ]);
  return { text, media, ...readExtras(body) };
}

function readExtras({ location, contact, buttons, reply_to }: SendBody): Partial<OutboundContent> {
  return {
    ...(location
      ? {
          location: {
            ...location,
            name: location.name ?? null,
            address: location.address ?? null,
          },
        }
      : {}),
    ...(contact ? { contact } : {}),
    ...(buttons ? { buttons: buttons.map(toButton) } : {}),
    ...(reply_to ? { reply_to: readReplyTo(reply_to) } : {}),
  };
}

function toButton({ title, id, url }: NonNullable<SendBody["buttons"]>[number]): OutboundButton {
  return { title, ...(id === undefined ? {} : { id }), ...(url === undefined ? {} : { url }) };
}

function readReplyTo(text: string): string {
  const id = fromWireId("message", text.trim());
  if (id !== null) return id;
  throw invalid([
    { path: "reply_to", message: "'reply_to' must be a 'message_id', like msg_01J…" },
  ]);
}

function readMedia(body: SendBody, warnings: Warning[]): OutboundContent["media"] {
  const url = body.media_url?.trim() || null;
  if (url === null) {
    if (body.media_type)
      warnings.push({
        code: "media_type_ignored",
        message: "There is no 'media_url', so 'media_type' says nothing.",
      });
    return null;
  }
  if (!isWebUrl(url))
    throw invalid([
      { path: "media_url", message: "'media_url' must be a full URL that begins with https://." },
    ]);
  const hinted = body.media_type ? mediaKindOfHint(body.media_type) : null;
  if (body.media_type && hinted === null)
    warnings.push({
      code: "unknown_media_type",
      message: `'${body.media_type}' is not a media type we know; the file's own kind is used.`,
    });
  const named = hinted ?? mediaKindOfUrl(url);
  return named === null ? { url, kind: "document", guessed: true } : { url, kind: named };
}

function readSendAt(text: string | null, now: number, warnings: Warning[]): Date | null {
  if (text === null) return null;
  const sendAt = new Date(text);
  if (sendAt.getTime() > now + limits.scheduleDays * dayMs)
    throw invalid([
      { path: "send_at", message: `'send_at' is more than ${limits.scheduleDays} days ahead.` },
    ]);
  if (sendAt.getTime() > now) return sendAt;
  warnings.push({
    code: "send_at_past",
    message: "'send_at' has passed; the message is sent now.",
  });
  return null;
}

function isWebUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

/** What is wrong with a body, field by field; `known` are the names of its fields. */
export function toDetails(
  issues: readonly z.core.$ZodIssue[],
  value: object,
  known: readonly string[],
): ErrorDetail[] {
  return issues.flatMap((issue) => {
    const names = issue.path.length === 0 ? known : [];
    if (issue.code === "unrecognized_keys")
      return issue.keys.map((name) => unknownField([...issue.path, name].join("."), names));
    const path = issue.path.join(".");
    const missing = issue.path.length === 1 && !Object.hasOwn(value, path);
    return [{ path, message: missing ? `'${path}' is missing.` : toMessage(path, issue) }];
  });
}

function unknownField(name: string, known: readonly string[]): ErrorDetail {
  const near = nearestName(name, known);
  const shown = name.length > 64 ? `${name.slice(0, 64)}…` : name;
  return {
    path: shown,
    message: `Unknown field '${shown}'.${near === null ? "" : ` Did you mean '${near}'?`}`,
  };
}

function toMessage(path: string, issue: z.core.$ZodIssue): string {
  if (path === "channel") return "'channel' must be one of wd, wa, tg, fb, ig, tt.";
  return path === "" ? issue.message : `'${path}': ${issue.message}`;
}

/** The error of a body whose faults are these. */
export function invalid(details: readonly ErrorDetail[]): ApiError {
  return new ApiError("invalid_request", {
    message: details[0]?.message ?? "The request is not valid.",
    details,
  });
}
