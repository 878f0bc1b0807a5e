// Signs requests as S3 wants it: AWS Signature Version 4, with the SHA-256 of the body in the signature.
import { createHash, createHmac } from "node:crypto";
import type { S3Location } from "./location.ts";

export interface UnsignedRequest {
  readonly method: string;
  /** Not encoded. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** Lower-case names, without `host`. */
  readonly headers: Readonly<Record<string, string>>;
  /** SHA-256 of the body in lower-case hexadecimal. */
  readonly bodySha256: string;
}

export interface SignedRequest {
  /** Path and query, encoded, as they go on the wire: exactly what was signed. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
}

type Signer = Pick<S3Location, "host" | "region" | "credentials">;

/** Signs one request for one moment. Every header given is signed, and so is the host. */
export function signRequest(request: UnsignedRequest, signer: Signer, at: Date): SignedRequest {
  const time = at.toISOString().replaceAll(/[-:]|\.\d{3}/g, "");
  const headers: Record<string, string> = {
    ...request.headers,
    "x-amz-content-sha256": request.bodySha256,
    "x-amz-date": time,
  };
  const path = request.path.split("/").map(encode).join("/");
  const query = canonicalQuery(request.query);
  const signed = Object.entries({ ...headers, host: signer.host }).toSorted(byName);
  const names = signed.map(([name]) => name).join(";");
  const canonical = [
    request.method,
    path,
    query,
    ...signed.map(([name, value]) => `${name}:${value.trim().replaceAll(/ +/g, " ")}`),
    "",
    names,
    request.bodySha256,
  ].join("\n");
  const scope = `${time.slice(0, 8)}/${signer.region}/s3/aws4_request`;
  const text = ["AWS4-HMAC-SHA256", time, scope, sha256(canonical)].join("\n");
  const signature = hmac(signingKey(signer, scope), text).toString("hex");
  return {
    target: query === "" ? path : `${path}?${query}`,
    headers: {
      ...headers,
      authorization: `AWS4-HMAC-SHA256 Credential=${signer.credentials.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
    },
  };
}

/** SHA-256 in lower-case hexadecimal. */
export function sha256(bytes: string | Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function signingKey({ credentials }: Signer, scope: string): Buffer {
  const first = Buffer.from(`AWS4${credentials.secretAccessKey}`);
  return scope.split("/").reduce<Buffer>((key, part) => hmac(key, part), first);
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

function canonicalQuery(query: Readonly<Record<string, string>>): string {
  return Object.entries(query)
    .map(([name, value]): [string, string] => [encode(name), encode(value)])
    .toSorted(byName)
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
}

/** By code point, as the signature's rules say: never by a language's order. */
function byName([left]: readonly [string, string], [right]: readonly [string, string]): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** RFC 3986: all but letters, digits, dash, dot, underscore and tilde. */
function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
