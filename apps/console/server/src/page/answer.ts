// How the console's pages are answered: their language, their headers, and the rules that a browser holds them to.
import type { ServerResponse } from "node:http";
import type { Request } from "express";
import { languageOf } from "./texts.ts";
import type { Language } from "./texts.ts";

const policy =
  "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** The language of a request: `?lang=` first, then what the browser prefers. */
export function languageFrom(request: Request): Language {
  const { lang } = request.query;
  return languageOf(typeof lang === "string" ? lang : null, request.headers["accept-language"]);
}

/** Answers with a page, or a part of one. */
export function answerHtml(response: ServerResponse, text: string, status = 200): void {
  response
    .writeHead(status, {
      "Content-Type": "text/html; charset=utf-8",
      "Content-Length": Buffer.byteLength(text),
      "Content-Security-Policy": policy,
      "Referrer-Policy": "no-referrer",
      Vary: "Accept-Language",
    })
    .end(text);
}
