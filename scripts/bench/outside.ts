// The outside world: a provider that takes every message, and a webhook's sink. Both only count, so that they cost little.
import { serve } from "./server.ts";

const counts = { sent: 0, received: 0 };
const secrets = new Map<string, string>();
const ok = '{"ok":true,"result":true}';

serve((path, body) => {
  if (path === "/sink") {
    counts.received += 1;
    return ok;
  }
  if (path === "/counts")
    return JSON.stringify({ ...counts, secrets: Object.fromEntries(secrets) });
  const [, token = "", method = ""] = /^\/bot([^/]+)\/(\w+)/.exec(path) ?? [];
  if (method === "sendMessage") return sent();
  if (method === "setWebhook") return keepSecret(token, body);
  if (method === "getMe") return describeBot(token);
  return ok;
});

function sent(): string {
  counts.sent += 1;
  const result = { message_id: counts.sent, date: 0, chat: { id: 1, type: "private" } };
  return JSON.stringify({ ok: true, result });
}

function keepSecret(token: string, body: string): string {
  const { secret_token: secret } = JSON.parse(body) as { secret_token?: string };
  secrets.set(token, secret ?? "");
  return ok;
}

function describeBot(token: string): string {
  const id = Number(token.split(":")[0]);
  const result = { id, is_bot: true, first_name: "Bench", username: `bench_${id}_bot` };
  return JSON.stringify({ ok: true, result });
}
