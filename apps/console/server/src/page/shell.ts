// What all of the console's pages have around them: head, name, and the switch to the other language.
import { html } from "./html.ts";
import type { Html } from "./html.ts";
import { texts } from "./texts.ts";
import type { Language } from "./texts.ts";

export interface Shell {
  readonly language: Language;
  readonly title: string;
  /** Files below `/console/`, beside those that every page has. */
  readonly styles?: readonly string[];
  readonly script: string;
  readonly main: Html;
}

/** The whole document. */
export function renderShell({ language, title, styles = [], script, main }: Shell): string {
  const other = language === "en" ? "ar" : "en";
  const sheets = ["start.css", ...styles].map(
    (name) => html`<link rel="stylesheet" href="/console/${name}" />`,
  );
  return html`<!doctype html>
    <html lang="${language}" dir="${language === "ar" ? "rtl" : "ltr"}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}</title>
        <link rel="icon" href="/console/icon.svg" type="image/svg+xml" />
        ${sheets}
        <script src="/console/${script}" defer></script>
      </head>
      <body>
        <header>
          <span class="brand"
            ><img
              src="/console/icon.svg"
              alt=""
              width="28"
              height="28"
            />${texts[language].title}</span
          ><a class="language" href="?lang=${other}" lang="${other}" hreflang="${other}"
            >${texts[language].otherLanguage}</a
          >
        </header>
        <main>${main}</main>
      </body>
    </html> `.text;
}
