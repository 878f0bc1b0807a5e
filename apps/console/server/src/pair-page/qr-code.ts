// A QR code as SVG: black on white with its quiet zone, whatever the page around it looks like.
import { encode } from "uqr";
import { html } from "../page/html.ts";
import type { Html } from "../page/html.ts";

/** Modules of white around the code; scanners want four. */
const quietZone = 4;

/** Draws a text; `label` is what a screen reader says of it. */
export function renderQrCode(text: string, label: string): Html {
  const { size, data } = encode(text, { border: quietZone });
  return html`<svg
    class="qr"
    viewBox="0 0 ${size} ${size}"
    role="img"
    aria-label="${label}"
    shape-rendering="crispEdges"
  >
    <rect width="${size}" height="${size}" fill="#fff" />
    <path fill="#000" d="${data.map(renderRow).join("")}" />
  </svg>`;
}

/** The dark modules of a row, those side by side as one rectangle. */
function renderRow(modules: readonly boolean[], y: number): string {
  const row = modules.map((dark) => (dark ? "#" : " ")).join("");
  return [...row.matchAll(/#+/g)]
    .map(({ index, 0: { length } }) => `M${index} ${y}h${length}v1h-${length}z`)
    .join("");
}
