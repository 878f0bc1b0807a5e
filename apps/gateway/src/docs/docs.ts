// Serves the API reference at /docs, offline: the document, the page, and the reader's script from its package.
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { RequestListener, ServerResponse } from "node:http";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { answerText } from "@thikaa/runtime";
import { buildOpenApi } from "./openapi.ts";

// The page's own script and styles are inline; nothing may come from, or go to, another host.
const contentPolicy =
  "default-src 'none'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; base-uri 'none'; frame-ancestors 'none'";

const page = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Thikaa Messaging API</title><link rel="icon" href="data:,"></head>
<body>
<div id="reference"></div>
<script src="/docs/reference.js"></script>
<script>Scalar.createApiReference("#reference", { url: "/openapi.json", withDefaultFonts: false, telemetry: false, hideClientButton: true, showDeveloperTools: "never", agent: { disabled: true }, mcp: { disabled: true } });</script>
</body>
</html>
`;

/** Answers `/docs`, its script and `/openapi.json`. */
export function docsListener(config: { publicUrl: string | null }): RequestListener {
  const document = JSON.stringify(buildOpenApi(config.publicUrl), null, 2);
  return (request, response) => {
    const path = (request.url ?? "").split("?")[0];
    if (request.method !== "GET" && request.method !== "HEAD")
      return answerText(response, 405, "Only GET is allowed here.\n");
    if (path === "/openapi.json")
      return text(response, "application/json; charset=utf-8", document);
    if (path === "/docs/reference.js") return void sendScript(response);
    if (path === "/docs" || path === "/docs/")
      return text(response, "text/html; charset=utf-8", page);
    answerText(response, 404, "There is nothing here.\n");
  };
}

function text(response: ServerResponse, type: string, body: string): void {
  response
    .writeHead(200, {
      "Content-Type": type,
      "X-Content-Type-Options": "nosniff",
      "Content-Security-Policy": contentPolicy,
    })
    .end(body);
}

async function sendScript(response: ServerResponse): Promise<void> {
  try {
    const file = scriptFile();
    const { size } = await stat(file);
    response.writeHead(200, {
      "Content-Type": "text/javascript; charset=utf-8",
      "Content-Length": size,
      "X-Content-Type-Options": "nosniff",
      "Cache-Control": "public, max-age=3600",
    });
    createReadStream(file).pipe(response);
  } catch {
    answerText(response, 500, "The reference's script is missing; install the packages again.\n");
  }
}

function scriptFile(): string {
  const entry = createRequire(import.meta.url).resolve("@scalar/api-reference");
  return join(dirname(entry), "browser/standalone.js");
}
