// The live part of the pairing page: what is to be done now, for each state of the pairing.
import { channels, pairingReasons } from "@thikaa/schema";
import type { ChannelCode, PairingDescription, PairingState } from "@thikaa/schema";
import { html } from "../page/html.ts";
import type { Html } from "../page/html.ts";
import type { Language } from "../page/texts.ts";
import { renderQrCode } from "./qr-code.ts";
import { pairTexts } from "./texts.ts";

/** Where and how it is shown. */
export interface LivePage {
  readonly language: Language;
  readonly channel: ChannelCode;
  readonly described: PairingDescription;
}

/** The live part, as it goes to the browser. */
export interface LivePart {
  /** Chooses what else of the page is shown; after `linked` nothing more follows. */
  readonly shows: "waiting" | "scan" | "type" | "linked" | "ended" | "off";
  readonly status: string;
  readonly html: string;
}

/** Renders a state. */
export function renderLive(pairing: PairingState, page: LivePage): LivePart {
  const shows = showsOf(pairing);
  return {
    shows,
    status: pairTexts[page.language].status[shows],
    html: renderBody(shows, pairing, page).text,
  };
}

function showsOf({ state, qr, code }: PairingState): LivePart["shows"] {
  if (qr !== undefined) return "scan";
  if (code !== undefined) return "type";
  if (state === "connected" || state === "limited") return "linked";
  if (state === "attention") return "ended";
  return state === "off" ? "off" : "waiting";
}

function renderBody(shows: LivePart["shows"], pairing: PairingState, page: LivePage): Html {
  const words = pairTexts[page.language];
  switch (shows) {
    case "scan":
      return html`<div class="code-and-steps">
        <div>
          ${renderQrCode(pairing.qr ?? "", words.codeLabel)} ${renderLasts(shows, pairing, page)}
        </div>
        ${renderSteps(page.described.scanSteps, page)}
      </div>`;
    case "type":
      return html`<div class="code-and-steps">
        <div>
          <p class="typed" dir="ltr"><output>${inGroups(pairing.code ?? "")}</output></p>
          ${renderLasts(shows, pairing, page)}
        </div>
        ${renderSteps(page.described.typeSteps ?? [], page)}
      </div>`;
    case "linked":
      return html`${renderNumber(pairing, page)}
        <p>${words.linkedNote}</p>`;
    case "ended":
      return html`<p class="why" dir="auto">${describeReason(pairing, page)}</p>
        <p><button type="button" class="button" data-ask>${words.again}</button></p>`;
    case "off":
      return html`<p>${words.offNote}</p>`;
    case "waiting":
      return html`<div class="spinner" aria-hidden="true"></div>
        <p dir="auto">
          ${pairing.reason === undefined ? words.waitingNote : describeReason(pairing, page)}
        </p>`;
  }
}

function renderSteps(steps: PairingDescription["scanSteps"], { language }: LivePage): Html {
  return html`<ol class="steps">
    ${steps.map((step) => html`<li>${step[language]}</li>`)}
  </ol>`;
}

function renderLasts(
  shows: "scan" | "type",
  pairing: PairingState,
  { language }: LivePage,
): Html | null {
  if (pairing.expires_at === undefined) return null;
  const [before, after] = pairTexts[language].lasts[shows];
  const seconds = Math.max(0, Math.ceil((Date.parse(pairing.expires_at) - Date.now()) / 1_000));
  return html`<p class="lasts">${before}<b data-seconds="${seconds}">${seconds}</b>${after}</p>`;
}

function renderNumber({ address }: PairingState, { channel }: LivePage): Html | null {
  if (address === undefined) return null;
  const plus = channels[channel].recipient === "phone" ? "+" : "";
  return html`<p class="number" dir="ltr">${plus}${address}</p>`;
}

/** In English the reason's own sentence, which may say more; in Arabic that of its code. */
function describeReason({ reason }: PairingState, { language, described }: LivePage): string {
  const words = pairTexts[language];
  if (reason === undefined) return words.endedNote;
  if (language === "en") return reason.message;
  const common: Readonly<Record<string, { readonly ar: string }>> = pairingReasons;
  return described.reasons[reason.code]?.ar ?? common[reason.code]?.ar ?? words.endedNote;
}

/** Easier to read off: `ABCD-1234`. */
function inGroups(code: string): string {
  return code.replace(/^(.{4})(.{4})$/, "$1-$2");
}
