// What a phone's camera reads off a screen.
import jsqr from "jsqr";
import { PNG } from "pngjs";

/** Pixels of four bytes each, row by row. */
export interface Pixels {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** The text of the QR code somewhere in a picture; `null` when there is none that can be read. */
export function readQrCode({ data, width, height }: Pixels): string | null {
  return jsqr.default(new Uint8ClampedArray(data), width, height)?.data ?? null;
}

/** The same of a PNG, like a screenshot. */
export function readQrCodeOfPng(png: Uint8Array): string | null {
  return readQrCode(PNG.sync.read(Buffer.from(png)));
}
