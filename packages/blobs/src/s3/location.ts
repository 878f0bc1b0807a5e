// Reads an `s3:` URL: where the bucket is, and who asks.
export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** A place in an S3 store. */
export interface S3Location {
  /** Where to connect to, like `https://s3.example.com`. */
  readonly origin: string;
  /** As the `Host` header says it; part of every signature. */
  readonly host: string;
  /** What stands before a blob's key in a path: `/bucket/prefix/`, or `/prefix/` when the bucket is in the host. */
  readonly basePath: string;
  readonly region: string;
  readonly credentials: S3Credentials;
}

const knownParameters = new Set(["region", "path-style", "tls"]);

/** Reads `s3://key:password@host[:port]/bucket[/prefix][?region=&path-style=&tls=]`. Throws an error that names the fault and never the secret. */
export function parseS3Url(text: string): S3Location {
  const url = new URL(text);
  const [bucket = "", ...folders] = url.pathname.slice(1).replace(/\/$/, "").split("/");
  if (url.host === "" || !/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket))
    throw new Error("an s3: URL needs a host and a bucket");
  if (!folders.every((folder) => /^(?!\.+$)[A-Za-z0-9._-]+$/.test(folder)))
    throw new Error("a folder in an s3: URL has letters, digits, dot, dash and underscore only");
  const unknown = [...url.searchParams.keys()].find((name) => !knownParameters.has(name));
  if (unknown !== undefined)
    throw new Error(`an s3: URL may have region, path-style and tls, not '${unknown}'`);
  const pathStyle = readSwitch(url, "path-style");
  const host = pathStyle ? url.host : `${bucket}.${url.host}`;
  const path = [...(pathStyle ? [bucket] : []), ...folders];
  // The default port stands in no Host header, so it may stand in no signature either.
  const origin = new URL(`${readSwitch(url, "tls") ? "https" : "http"}://${host}`);
  return {
    origin: origin.origin,
    host: origin.host,
    basePath: `/${path.map((part) => `${part}/`).join("")}`,
    region: url.searchParams.get("region") ?? "us-east-1",
    credentials: readCredentials(url),
  };
}

function readCredentials(url: URL): S3Credentials {
  if (url.username === "" || url.password === "")
    throw new Error("an s3: URL needs an access key and a secret key before the @");
  try {
    return {
      accessKeyId: decodeURIComponent(url.username),
      secretAccessKey: decodeURIComponent(url.password),
    };
  } catch {
    throw new Error("the keys in an s3: URL are not percent-encoded right");
  }
}

/** Both switches are on unless they say 0. */
function readSwitch(url: URL, name: string): boolean {
  const value = url.searchParams.get(name) ?? "1";
  if (value !== "0" && value !== "1") throw new Error(`${name} in an s3: URL is 0 or 1`);
  return value === "1";
}
