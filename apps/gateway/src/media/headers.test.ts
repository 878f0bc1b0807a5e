// Headers of media: names in any writing, types that a stranger wrote, tags.
import { expect, test } from "vitest";
import { contentDisposition, mediaHeaders, namesTag } from "./headers.ts";

test.each([
  ["IMG_1.jpg", `attachment; filename="IMG_1.jpg"; filename*=UTF-8''IMG_1.jpg`],
  [
    "فاتورة 1.pdf",
    `attachment; filename="______ 1.pdf"; filename*=UTF-8''%D9%81%D8%A7%D8%AA%D9%88%D8%B1%D8%A9%201.pdf`,
  ],
  [
    `a"b;c'd(1)*%41.txt`,
    `attachment; filename="a_b;c'd(1)*_41.txt"; filename*=UTF-8''a_b%3Bc%27d%281%29%2A%2541.txt`,
  ],
  [
    "a\r\nSet-Cookie: x=1",
    `attachment; filename="aSet-Cookie: x=1"; filename*=UTF-8''aSet-Cookie%3A%20x%3D1`,
  ],
  ["😀.png", `attachment; filename="_.png"; filename*=UTF-8''%F0%9F%98%80.png`],
  [null, `attachment; filename="file"; filename*=UTF-8''file`],
])("the name %j", (name, wanted) => {
  expect(contentDisposition(name)).toBe(wanted);
});

test.each([
  ["image/jpeg", "image/jpeg"],
  ["audio/ogg; codecs=opus", "audio/ogg; codecs=opus"],
  ["application/vnd.ms-excel.sheet+xml", "application/vnd.ms-excel.sheet+xml"],
  [null, "application/octet-stream"],
  ["", "application/octet-stream"],
  ["image", "application/octet-stream"],
  ["text/html\r\nX: y", "application/octet-stream"],
  ["image/jpeg; ", "application/octet-stream"],
])("the type %j", (mime, wanted) => {
  expect(mediaHeaders({ mime, name: null, sha256: "ab" })["Content-Type"]).toBe(wanted);
});

test.each([
  [`"ab"`, true],
  [`W/"ab"`, true],
  [`"x", "ab"`, true],
  ["*", true],
  [`"a"`, false],
  ["ab", false],
  [undefined, false],
])("If-None-Match %j", (header, wanted) => {
  expect(namesTag(header, '"ab"')).toBe(wanted);
});
