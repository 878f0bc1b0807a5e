// Forwards events to a URL on the developer's machine, with body and signatures as webhooks have them.
import { toWireId } from "@thikaa/schema";
import type { StoreEvent } from "@thikaa/schema";
import { signWebhook } from "@thikaa/sdk";
import type { HouseClient, Answer } from "./client.ts";
import { usageProblem } from "./problem.ts";
import { listOf, textOf } from "./values.ts";

/** What came of forwarding one event. */
export interface Forwarded {
  readonly status: number | null;
  readonly ms: number;
  readonly error: string | null;
}

export type Forwarder = (event: StoreEvent) => Promise<Forwarded>;

const timeoutMs = 10_000;
/** Stands in the body while the store has no key that would get the event. */
const noInstance = toWireId("instance", "00000000-0000-0000-0000-000000000000");

/** Makes a forwarder. The body names the first active key of the store that would get the event, since a webhook always belongs to one. */
export async function createForwarder(
  client: HouseClient,
  target: { store: string; url: string; secret: string },
): Promise<Forwarder> {
  if (!URL.canParse(target.url) || !/^https?:/.test(target.url))
    throw usageProblem(
      `--forward must be a URL like http://localhost:8000/hook, not '${target.url}'.`,
    );
  if (!/^whsec_[A-Za-z0-9+/_-]+=*$/.test(target.secret))
    throw usageProblem("--secret must be whsec_ and base64, as 'key create' prints it.");
  const keys = listOf(
    await client.request("GET", `/stores/${encodeURIComponent(target.store)}/keys`),
    "keys",
  ).filter((key) => key["status"] === "active");
  return (event) =>
    post(
      target.url,
      signedRequest(event, { instanceId: instanceFor(event, keys), secret: target.secret }),
    );
}

interface SignedRequest {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

function signedRequest(
  event: StoreEvent,
  signer: { instanceId: string; secret: string },
): SignedRequest {
  const { event: name, ...rest } = event;
  const body = JSON.stringify({ event: name, instance_id: signer.instanceId, ...rest });
  return {
    body,
    headers: signWebhook({ id: event.event_id, event: name, body, secret: signer.secret }),
  };
}

function instanceFor(event: StoreEvent, keys: readonly Answer[]): string {
  const isFor = ({ channels }: Answer) =>
    !("channel" in event.data) ||
    (Array.isArray(channels) && channels.includes(event.data.channel));
  const allowed = keys.find(isFor);
  return allowed === undefined ? noInstance : textOf(allowed, "instance_id");
}

async function post(url: string, { body, headers }: SignedRequest): Promise<Forwarded> {
  const began = performance.now();
  const ms = () => Math.round(performance.now() - began);
  try {
    const answer = await fetch(url, {
      method: "POST",
      body,
      headers,
      redirect: "manual",
      signal: AbortSignal.timeout(timeoutMs),
    });
    await answer.body?.cancel();
    return { status: answer.status, ms: ms(), error: null };
  } catch (error) {
    const cause =
      error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    return { status: null, ms: ms(), error: cause };
  }
}
