// The page's files: TypeScript has its types taken out, everything else is served as it lies; all is read once, at the start.
import { readdir, readFile } from "node:fs/promises";
import { createRequire, stripTypeScriptTypes } from "node:module";
import { extname } from "node:path";

/** One file, ready to send. */
export interface Asset {
  contentType: string;
  body: Buffer;
}

/** Reads QR codes in the page; a script without modules. */
const jsqr = createRequire(import.meta.url).resolve("jsqr");
const WEB_FOLDER = new URL("../web/", import.meta.url);
const CONTENT_TYPES: ReadonlyMap<string, string> = new Map([
  [".html", "text/html; charset=utf-8"],
  [".css", "text/css; charset=utf-8"],
  [".ts", "text/javascript; charset=utf-8"],
  [".svg", "image/svg+xml"],
]);

/** Reads the page's files by name. Only what is here can be asked for, so no path of a request reaches the disk. */
export async function loadAssets(): Promise<ReadonlyMap<string, Asset>> {
  const assets = new Map<string, Asset>();
  for (const name of await readdir(WEB_FOLDER)) {
    const contentType = CONTENT_TYPES.get(extname(name));
    if (contentType === undefined) continue;
    const bytes = await readFile(new URL(name, WEB_FOLDER));
    const body =
      extname(name) === ".ts" ? Buffer.from(stripTypeScriptTypes(bytes.toString("utf8"))) : bytes;
    assets.set(name, { contentType, body });
  }
  assets.set("jsqr.js", {
    contentType: "text/javascript; charset=utf-8",
    body: await readFile(jsqr),
  });
  return assets;
}
