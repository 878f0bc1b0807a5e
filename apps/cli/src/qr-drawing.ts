// A QR code in a terminal: two rows of modules to a line, the light ones drawn, so that it stands on dark ground.
import { encode } from "uqr";

/** Modules of light around the code; in a terminal two are enough for a phone. */
const quietZone = 2;
/** White on black, whatever the terminal's colours are. */
const [colours, plain] = ["\u001B[38;5;231;48;5;16m", "\u001B[0m"];

export interface Drawing {
  readonly lines: readonly string[];
  /** Columns that it needs. */
  readonly width: number;
}

/** Draws a text; `coloured` where a terminal shows it. */
export function drawQrCode(text: string, coloured: boolean): Drawing {
  const { data, size } = encode(text, { border: quietZone });
  const lines: string[] = [];
  for (let y = 0; y < size; y += 2) {
    const line = Array.from({ length: size }, (_, x) =>
      blockOf(data[y]?.[x] !== true, data[y + 1]?.[x] !== true),
    ).join("");
    lines.push(coloured ? colours + line + plain : line);
  }
  return { lines, width: size };
}

function blockOf(upperLight: boolean, lowerLight: boolean): string {
  if (upperLight) return lowerLight ? "█" : "▀";
  return lowerLight ? "▄" : " ";
}
