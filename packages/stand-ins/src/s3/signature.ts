// Checks AWS Signature Version 4 in the Authorization header, from the request as it came.
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { S3Error } from "./s3-error.ts";

export interface SignatureRules {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
}

/** What of a request is signed, beside its body. */
export type SignedHead = Pick<IncomingMessage, "method" | "url" | "headers">;

/** How far a client's clock may be off, in milliseconds. */
const skewMs = 15 * 60_000;

const authorization =
  /^AWS4-HMAC-SHA256 Credential=([^/\s]+)\/(\d{8})\/([^/\s]+)\/s3\/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$/;

/** Throws the error that S3 answers for a request that is not signed, or not rightly. Returns what the signature says of the body: its SHA-256, or `UNSIGNED-PAYLOAD`. */
export function checkSignature(request: SignedHead, rules: SignatureRules, now: number): string {
  const given = authorization.exec(request.headers.authorization ?? "");
  if (given === null) throw new S3Error(403, "AccessDenied", "Access Denied");
  const [, accessKeyId, day = "", region, names = "", signature = ""] = given;
  if (accessKeyId !== rules.accessKeyId)
    throw new S3Error(
      403,
      "InvalidAccessKeyId",
      "The AWS Access Key Id you provided does not exist in our records.",
    );
  if (region !== rules.region)
    throw new S3Error(
      400,
      "AuthorizationHeaderMalformed",
      `The authorization header is malformed; the region '${region}' is wrong; expecting '${rules.region}'`,
    );
  checkHeaders(request, names.split(";"));
  const time = headerOf(request, "x-amz-date");
  checkTime(time, day, now);
  const payload = headerOf(request, "x-amz-content-sha256");
  const scope = `${day}/${region}/s3/aws4_request`;
  const text = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${sha256(canonicalRequest(request, names, payload))}`;
  const first = Buffer.from(`AWS4${rules.secretAccessKey}`);
  const key = scope.split("/").reduce<Buffer>((left, part) => hmac(left, part), first);
  if (!timingSafeEqual(hmac(key, text), Buffer.from(signature, "hex")))
    throw new S3Error(
      403,
      "SignatureDoesNotMatch",
      "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
    );
  return payload;
}

/** The host and every `x-amz-` header must be signed; the others may be. */
function checkHeaders(request: SignedHead, signed: readonly string[]): void {
  const wanted = [
    "host",
    ...Object.keys(request.headers).filter((name) => name.startsWith("x-amz-")),
  ];
  const missing = wanted.filter((name) => !signed.includes(name));
  if (missing.length > 0)
    throw new S3Error(
      403,
      "AccessDenied",
      `There were headers present in the request which were not signed: ${missing.join(", ")}`,
    );
}

function checkTime(time: string, day: string, now: number): void {
  const [, ...parts] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(time) ?? [];
  const [year, month, date, hour, minute, second] = parts.map(Number);
  if (year === undefined || month === undefined || !time.startsWith(day))
    throw new S3Error(
      403,
      "AccessDenied",
      "AWS authentication requires a valid Date or x-amz-date header",
    );
  if (Math.abs(Date.UTC(year, month - 1, date, hour, minute, second) - now) > skewMs)
    throw new S3Error(
      403,
      "RequestTimeTooSkewed",
      "The difference between the request time and the current time is too large.",
    );
}

function canonicalRequest(request: SignedHead, names: string, payload: string): string {
  const [path = "/", query = ""] = (request.url ?? "/").split("?");
  const headers = names
    .split(";")
    .map((name) => `${name}:${headerOf(request, name).trim().replaceAll(/ +/g, " ")}\n`);
  const canonicalPath = path
    .split("/")
    .map((part) => encode(decodeURIComponent(part)))
    .join("/");
  const canonicalQuery = [...new URLSearchParams(query.replaceAll("+", "%2B"))]
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join("&");
  return [request.method, canonicalPath, canonicalQuery, headers.join(""), names, payload].join(
    "\n",
  );
}

function headerOf(request: SignedHead, name: string): string {
  const value = request.headers[name] ?? "";
  return Array.isArray(value) ? value.join(",") : value;
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
