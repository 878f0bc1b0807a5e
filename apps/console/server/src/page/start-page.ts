// The start page: what this is, what runs here, and the next thing to paste into a terminal.
import { channels } from "@thikaa/schema";
import type { ChannelCode } from "@thikaa/schema";
import { renderConnections } from "./connections.ts";
import type { HouseState } from "./connections.ts";
import { html } from "./html.ts";
import type { Html } from "./html.ts";
import { renderShell } from "./shell.ts";
import { texts } from "./texts.ts";
import type { Language, Texts } from "./texts.ts";

/** How the sandbox's customer is addressed, by the form of the channel's recipients. */
const sandboxCustomer = { id: "700000001", phone: "9647700000001" } as const;

/** Where a newcomer begins: the first channel that runs here, and the secrets it asks for. */
export interface FirstChannel {
  readonly code: ChannelCode;
  readonly fields: readonly string[];
}

export interface StartPage {
  readonly language: Language;
  /** Scheme and host under which this page was asked for. */
  readonly origin: string;
  readonly simulator: boolean;
  readonly channel: FirstChannel | null;
  /** The sandbox's store when it has a connection to try. */
  readonly sandbox: { readonly slug: string; readonly channel: ChannelCode } | null;
  /** `null` where nobody has signed in: then no connection is shown. */
  readonly state: HouseState | null;
}

/** The whole page. */
export function renderStartPage(page: StartPage): string {
  const { language } = page;
  const words = texts[language];
  return renderShell({
    language,
    title: words.title,
    script: "start.js",
    main: html`
      <section class="hero">
        <h1>${words.headline}</h1>
        <p>${words.lead}</p>
        <p class="actions">
          <a class="button" href="/docs">${words.docs}</a
          >${page.simulator ? html`<a class="button quiet" href="/simulator">${words.simulator}</a>` : null}
        </p>
      </section>
      ${renderTry(page)}
      ${
        page.state === null
          ? null
          : html`<section>
              <h2>${words.connectionsTitle}</h2>
              <div
                id="connections"
                data-refresh="/console/connections?lang=${language}"
                aria-live="polite"
              >
                ${renderConnections(page.state, language)}
              </div>
            </section>`
      }
      ${renderOwn(page)} ${renderGuides(words)}
    `,
  });
}

function renderTry({ sandbox, origin, language }: StartPage): Html | null {
  if (sandbox === null) return null;
  const words = texts[language];
  const to = sandboxCustomer[channels[sandbox.channel].recipient];
  const curl = [
    `curl -X POST "${origin}/${sandbox.slug}/api/messaging/?action=send" \\`,
    `  -H "Authorization: Bearer $(cat .data/sandbox/key)" -H "Content-Type: application/json" \\`,
    `  -d '{"channel":"${sandbox.channel}","to":"${to}","message":"مرحبا زينب 👋"}'`,
  ].join("\n");
  return html`<section>
    <h2>${words.tryTitle}</h2>
    <p>${words.tryLead}</p>
    ${renderCode(curl, words)}
    <p class="note">${words.tryAfter}</p>
  </section>`;
}

function renderOwn({ channel, language }: StartPage): Html | null {
  if (channel === null) return null;
  const words = texts[language];
  const fields = channel.fields.map((name) => ` --set ${name}=-`).join("");
  const commands = [
    "npm run -s thikaa -- store create my-shop --credits 100",
    `npm run -s thikaa -- connection add ${channel.code} --store my-shop --name main${fields}`,
  ].join("\n");
  return html`<section>
    <h2>${words.ownTitle}</h2>
    <p>${words.ownLead}</p>
    ${renderCode(commands, words)}
  </section>`;
}

function renderGuides(words: Texts): Html {
  const items = words.guides.map(
    ([file, about]) => html`<li><code>${file}</code><span>${about}</span></li>`,
  );
  return html`<section>
    <h2>${words.guidesTitle}</h2>
    <ul class="guides">
      ${items}
    </ul>
  </section>`;
}

function renderCode(code: string, words: Texts): Html {
  return html`<div class="code" dir="ltr">
    <button type="button" data-copy data-done="${words.copied}" hidden>${words.copy}</button>
    <pre tabindex="0"><code>${code}</code></pre>
  </div>`;
}
