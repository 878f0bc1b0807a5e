// Links to media: the same each time, good for one file of one store, refused when anything of them was changed.
import { newId, toWireId } from "@thikaa/schema";
import { expect, test } from "vitest";
import { newMasterKey } from "./master-key.ts";
import { mediaFileName, MediaLinks } from "./media-links.ts";

const masterKey = newMasterKey();
const links = new MediaLinks(masterKey);
const media = { mediaId: newId(), storeId: newId() };

test("a link opens its own media, and the same media gives the same link in every process", () => {
  const signature = links.sign(media);
  expect(links.verify(media.mediaId, signature)).toEqual(media);
  expect(new MediaLinks(masterKey).sign(media)).toBe(signature);
  expect(signature).toBe(encodeURIComponent(signature));
});

test("no character of a signature can be changed, dropped or added", () => {
  const expires = new Date(Date.now() + 60_000);
  for (const signature of [links.sign(media), links.sign(media, expires)]) {
    expect(links.verify(media.mediaId, signature)).not.toBeNull();
    for (let index = 0; index < signature.length; index++)
      for (const letter of ["", "A", "B", "0", ".", "="]) {
        const altered = signature.slice(0, index) + letter + signature.slice(index + 1);
        if (altered !== signature) expect(links.verify(media.mediaId, altered), altered).toBeNull();
      }
    for (const tail of [".", "=", "A", ".x", " "])
      expect(links.verify(media.mediaId, signature + tail)).toBeNull();
  }
  expect(links.verify(media.mediaId, "")).toBeNull();
});

test("a signature opens no other media, no other store's, and none of another house", () => {
  const signature = links.sign(media);
  expect(links.verify(newId(), signature)).toBeNull();
  const own = toWireId("store", media.storeId);
  const others = signature.replace(own, toWireId("store", newId()));
  expect(links.verify(media.mediaId, others)).toBeNull();
  expect(new MediaLinks(newMasterKey()).verify(media.mediaId, signature)).toBeNull();
});

test("a link with an end is refused from then on, and its end can't be moved", () => {
  const end = new Date("2026-11-22T10:00:00Z");
  const signature = links.sign(media, end);
  expect(links.verify(media.mediaId, signature, new Date("2026-11-22T09:59:59Z"))).toEqual(media);
  expect(links.verify(media.mediaId, signature, end)).toBeNull();
  const [store, , mac] = signature.split(".");
  const before = new Date("2026-11-22T09:00:00Z");
  for (const other of ["", "zzzzzzz"])
    expect(links.verify(media.mediaId, `${store}.${other}.${mac}`, before)).toBeNull();
});

test("after a rotation old links open as long as their key is listed", () => {
  const next = newMasterKey("k2");
  const signature = links.sign(media);
  expect(new MediaLinks(`${next},${masterKey}`).verify(media.mediaId, signature)).toEqual(media);
  expect(new MediaLinks(next).verify(media.mediaId, signature)).toBeNull();
});

test("a path carries the name as URLs write it", () => {
  const path = links.path({ ...media, name: "فاتورة 1.pdf" });
  expect(path).toBe(
    `/media/${toWireId("media", media.mediaId)}/%D9%81%D8%A7%D8%AA%D9%88%D8%B1%D8%A9%201.pdf?sig=${links.sign(media)}`,
  );
});

test.each([
  [null, "file"],
  ["", "file"],
  ["..", "file"],
  ["IMG_1.jpg", "IMG_1.jpg"],
  ["فاتورة رقم ١.pdf", "فاتورة رقم ١.pdf"],
  ["../../etc/passwd", ".._.._etc_passwd"],
  ["a\r\nX: y\0.txt", "aX: y.txt"],
  ['say "hi"\\.txt', "say _hi__.txt"],
  ["photo\u202egpj.exe", "photogpj.exe"],
  ["e\u0301t\u00e9.txt", "\u00e9t\u00e9.txt"],
  ["\ud800.txt", "\ufffd.txt"],
  [`${"ص".repeat(300)}.jpeg`, `${"ص".repeat(115)}.jpeg`],
])("the name %j becomes %j", (given, wanted) => {
  expect(mediaFileName(given)).toBe(wanted);
});
