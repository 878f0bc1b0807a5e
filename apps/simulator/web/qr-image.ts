// Reads the QR code in a picture, in the page itself.
import { make } from "./dom.ts";

type Reader = (data: Uint8ClampedArray, width: number, height: number) => { data: string } | null;

declare global {
  /** Set by `jsqr.js`, which is a script and no module. */
  var jsQR: Reader | undefined;
}

/** A larger picture is made smaller: a code needs no more, and reading takes its time by the pixel. */
const MOST_PIXELS = 1600;

/** The code's text; `null` when there is none to be read. Rejects for what is no picture. */
export async function readQrCode(picture: Blob): Promise<string | null> {
  const [read, image] = await Promise.all([loadReader(), createImageBitmap(picture)]);
  const scale = Math.min(1, MOST_PIXELS / Math.max(image.width, image.height));
  const [width, height] = [Math.ceil(image.width * scale), Math.ceil(image.height * scale)];
  const context = new OffscreenCanvas(width, height).getContext("2d");
  if (context === null) return null;
  // What is transparent counts as paper.
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.drawImage(image, 0, 0, width, height);
  return read(context.getImageData(0, 0, width, height).data, width, height)?.data ?? null;
}

/** It is large, and few visits need it. */
let reader: Promise<Reader> | null = null;

function loadReader(): Promise<Reader> {
  return (reader ??= new Promise((resolve, reject) => {
    const script = make("script", { attributes: { src: "/simulator/web/jsqr.js" } });
    script.addEventListener("load", () =>
      globalThis.jsQR ? resolve(globalThis.jsQR) : reject(new Error("jsqr.js brought no reader.")),
    );
    script.addEventListener("error", () => reject(new Error("jsqr.js could not be loaded.")));
    document.head.append(script);
  }));
}
