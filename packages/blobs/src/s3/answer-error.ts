// What an S3 store answers instead of the wanted thing, read from its XML.
import { BlobStoreError } from "../blob-store.ts";

/** An answer outside of 2xx, or one that says 200 and means an error. */
export class S3AnswerError extends BlobStoreError {
  readonly status: number;
  /** S3's word for it, like `NoSuchKey`; empty when the answer had no body. */
  readonly code: string;

  constructor(answer: { status: number; operation: string; text: string }) {
    const { status, operation, text } = answer;
    const code = xmlText(text, "Code") ?? "";
    const words = [code, xmlText(text, "Message") ?? ""].filter((word) => word !== "").join(": ");
    super(
      mayPass(status) ? "unavailable" : "refused",
      `The media store answered ${status} to ${operation}${words === "" ? "" : ` (${words.slice(0, 300)})`}.`,
    );
    this.name = "S3AnswerError";
    this.status = status;
    this.code = code;
  }
}

/** Whether an error says that there is no such object, and not that the bucket is missing. */
export function isMissing(error: unknown): boolean {
  return error instanceof S3AnswerError && error.status === 404 && error.code !== "NoSuchBucket";
}

/** The text of the first element of that name, or `null`. */
export function xmlText(xml: string, element: string): string | null {
  const found = new RegExp(`<${element}>([^<]*)</${element}>`).exec(xml)?.[1];
  return (
    found?.replaceAll(/&(amp|lt|gt|quot|apos|#34|#39);/g, (entity) => entities[entity] ?? entity) ??
    null
  );
}

/** Writes a text so that it can stand in an element. */
export function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** Whether the same request may succeed later. */
export function mayPass(status: number): boolean {
  return status >= 500 || status === 429 || status === 408;
}

const entities: Readonly<Record<string, string>> = {
  "&amp;": "&",
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&apos;": "'",
  "&#34;": '"',
  "&#39;": "'",
};
