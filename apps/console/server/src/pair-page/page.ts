// The page on which a phone is linked, opened by a link without signing in; and the one for a link that no longer works.
import { channels } from "@thikaa/schema";
import { html } from "../page/html.ts";
import type { Html } from "../page/html.ts";
import { renderShell } from "../page/shell.ts";
import type { Language } from "../page/texts.ts";
import type { LivePage, LivePart } from "./live.ts";
import { pairTexts } from "./texts.ts";

export interface PairPage extends LivePage {
  /** The connection's name for people. */
  readonly name: string;
  readonly live: LivePart;
}

/** The whole page. */
export function renderPairPage(page: PairPage): string {
  const { language, channel, name, live, described } = page;
  const words = pairTexts[language];
  return renderShell({
    language,
    title: words.title,
    styles: ["pair.css"],
    script: "pair.js",
    main: html`<section class="hero small">
        <h1>${words.title}</h1>
        <p>${channels[channel].name[language]} · <bdi>${name}</bdi></p>
        <p>${words.lead}</p>
      </section>
      <aside class="notice">${described.notice[language]}</aside>
      <noscript><p class="notice">${words.needsScript}</p></noscript>
      <section class="pairing" data-shows="${live.shows}">
        <h2 id="status" aria-live="polite">${live.status}</h2>
        <div id="live">${null}</div>
        <p id="problem" class="problem" role="alert" data-failed="${words.failed}" hidden></p>
        ${described.typeSteps === null ? null : renderOtherWay(language)}
        <p class="careful">${words.careful}</p>
      </section>
      <template id="gone">${renderGoneBody(language)}</template>`,
  });
}

/** The page of a link that was never made, has ended, or was used. */
export function renderGonePage(language: Language): string {
  return renderShell({
    language,
    title: pairTexts[language].goneTitle,
    script: "start.js",
    main: renderGoneBody(language),
  });
}

function renderGoneBody(language: Language): Html {
  const words = pairTexts[language];
  return html`<section class="hero">
    <h1>${words.goneTitle}</h1>
    <p>${words.gone}</p>
  </section>`;
}

function renderOtherWay(language: Language): Html {
  const words = pairTexts[language];
  return html`<details class="while-scan while-ended">
      <summary>${words.typeInstead}</summary>
      <p>${words.typeInsteadNote}</p>
      <form id="by-number">
        <input
          name="phone"
          type="tel"
          dir="ltr"
          autocomplete="tel"
          required
          maxlength="40"
          aria-label="${words.phone}"
          placeholder="${words.phone}"
        />
        <button type="submit" class="button">${words.getCode}</button>
      </form>
    </details>
    <p class="while-type">
      <button type="button" class="button quiet" data-ask>${words.scanInstead}</button>
    </p>`;
}
