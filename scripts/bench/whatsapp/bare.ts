// The floor: bare Baileys clients in one process, opened, sending and receiving as they are asked to.
import { BareClient } from "../../../packages/stand-ins/src/whatsapp-qr/fixtures/bare-client.ts";
import { request } from "undici";
import { z } from "zod";
import { answerQuestions } from "./child.ts";
import { inFlight } from "./in-flight.ts";

const [socketUrl = "", standInUrl = ""] = process.argv.slice(2);
const clients: { readonly phone: string; readonly client: BareClient }[] = [];
/** Of clients that are not open here yet. */
let waiting: Saved[] = [];
/** As many as our own app opens at once. */
const openingAtOnce = 4;

const saved = z.object({ saved: z.array(z.object({ phone: z.string(), state: z.string() })) });
type Saved = z.infer<typeof saved>["saved"][number];
const phones = z.object({ phones: z.array(z.string()) });
const count = z.object({ count: z.number() });
const send = z.object({ clients: z.number(), to: z.array(z.string()), count: z.number() });

answerQuestions({
  /** Pairs one client for each phone. */
  pair: (question) => openAll(phones.parse(question).phones.map((phone) => ({ phone }))),
  save: () => clients.map(({ phone, client }) => ({ phone, state: client.save() })),
  restore: (question) => void (waiting = saved.parse(question).saved),
  /** Logs in so many more of those that were restored. */
  open: (question) => openAll(waiting.splice(0, count.parse(question).count)),
  "first phone": () => clients[0]?.phone ?? "",
  /** Sends by the first so many clients; each recipient of each client gets one message after the other. */
  async send(question) {
    const { clients: senders, to, count: messages } = send.parse(question);
    const lanes = senders * to.length;
    await Promise.all(
      Array.from({ length: lanes }, async (_, lane) => {
        const person = to[Math.floor(lane / senders)] ?? "";
        for (let n = lane; n < messages; n += lanes)
          await clients[lane % senders]?.client.send(person, `مرحبا ${n}`);
      }),
    );
  },
  /** Answered when the first client has received so many messages, counted from now on. */
  receive(question) {
    const client = clients[0]?.client;
    const wanted = (client?.received ?? 0) + count.parse(question).count;
    const { promise, resolve } = Promise.withResolvers<void>();
    client?.onMessage(() => {
      if (client.received >= wanted) resolve();
    });
    return promise;
  },
  memory() {
    globalThis.gc?.();
    return process.memoryUsage();
  },
});

async function openAll(wanted: readonly { phone: string; state?: string }[]): Promise<void> {
  await inFlight(wanted.length, openingAtOnce, async (n) => {
    const { phone, state } = wanted[n] ?? { phone: "" };
    const client = await BareClient.open({
      socketUrl,
      state,
      scan: (qr) => scan({ phone, qr }),
    });
    clients.push({ phone, client });
  });
}

/** By a connection of its own: one that was kept may be closed by the server just when it is used again. */
async function scan(scanned: { phone: string; qr: string }): Promise<void> {
  const { body } = await request(`${standInUrl}/stand-in/whatsapp-web/scans`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(scanned),
    reset: true,
  });
  await body.dump();
}
