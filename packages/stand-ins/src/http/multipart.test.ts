// The multipart reader takes what grammY really sends, file names and all.
import { Api, InputFile } from "grammy";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { readBody } from "./body.ts";
import { multipartBoundary, readMultipart } from "./multipart.ts";
import type { FormPart } from "./multipart.ts";

async function formOf(fileName: string): Promise<FormPart[]> {
  const received = Promise.withResolvers<FormPart[]>();
  const server = createServer((request, response) => {
    void (async () => {
      const boundary = multipartBoundary(request.headers["content-type"] ?? "") ?? "";
      received.resolve(readMultipart(await readBody(request, 1_000_000), boundary));
      response.end('{"ok":true,"result":true}');
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const api = new Api("1:a", {
    apiRoot: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  });
  await api.sendDocument(5, new InputFile(Buffer.from("line\r\n--not a boundary\r\n"), fileName), {
    caption: "مرفق",
  });
  server.closeAllConnections();
  server.close();
  return received.promise;
}

test.each([
  "plain.pdf",
  "my invoice.pdf",
  "hoá đơn.pdf",
  "a(1).pdf",
  "semi;colon.pdf",
  "فاتورة.pdf",
])("a file named %j by grammY arrives whole", async (fileName) => {
  const parts = await formOf(fileName);
  const named = new Map(parts.map((part) => [part.name, part]));
  expect(named.get("caption")?.data.toString("utf8")).toBe("مرفق");
  const reference = named.get("document")?.data.toString("utf8").replace("attach://", "") ?? "";
  expect(named.get(reference)).toMatchObject({
    fileName,
    data: Buffer.from("line\r\n--not a boundary\r\n"),
  });
});

test("a body cut short gives only the parts that are whole", () => {
  const whole =
    '--b\r\nContent-Disposition: form-data; name="one"\r\n\r\n1\r\n--b\r\nContent-Disposition: form-data; name="two"\r\n\r\n2';
  expect(readMultipart(Buffer.from(whole), "b").map((part) => part.name)).toEqual(["one"]);
});

test("a quoted name may hold quotes and semicolons", () => {
  const body =
    '--b\r\nContent-Disposition: form-data; name="f"; filename="a;\\"b\\".txt"\r\n\r\nx\r\n--b--\r\n';
  expect(readMultipart(Buffer.from(body), "b")).toMatchObject([
    { name: "f", fileName: 'a;"b".txt' },
  ]);
});
