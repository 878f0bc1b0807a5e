// A short notice at the foot of the page when something did not work.
import { make } from "./dom.ts";
import { word } from "./words.ts";

const SHOWN_MS = 6000;

/** Says what went wrong, to eyes and screen readers. */
export function complain(error: unknown): void {
  const reason = error instanceof Error ? error.message : String(error);
  const notice = make("div", {
    class: "toast",
    text: `${word("failed")}: ${reason}`,
    attributes: { role: "alert", dir: "auto" },
  });
  document.body.append(notice);
  window.setTimeout(() => notice.remove(), SHOWN_MS);
}
