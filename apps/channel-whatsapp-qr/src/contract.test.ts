// WhatsApp by QR is held to the connector contract by the suite that every channel passes.
import { randomBytes } from "node:crypto";
import { startConnectorHost } from "@thikaa/connector-kit/host";
import { createLog } from "@thikaa/runtime";
import { startWhatsAppWebStandIn } from "@thikaa/stand-ins";
import type { WhatsAppWebFault, WhatsAppWebStandIn } from "@thikaa/stand-ins";
import { testConnector } from "@thikaa/testkit";
import type { ProviderAccount, ProviderError } from "@thikaa/testkit";
import * as vault from "@thikaa/vault";
import { z } from "zod";
import { createConnector } from "./connector.ts";
import { pairingConnector, quick, unhurried } from "./fixtures/pairing.ts";

const people = ["9647700000001", "9647700000002"] as const;

/** By their addresses: the suite opens several, each for itself. */
const standIns = new Map<string, WhatsAppWebStandIn>();

const connector = pairingConnector((url) => must(standIns.get(url)));

testConnector({
  connector,
  channel: "wd",
  pairing: {
    connector: createConnector(quick),
    hurried: createConnector({ ...quick, qrMs: 100 }),
  },
  worksUnreached: true,
  start: (settings, write) =>
    startConnectorHost({
      connector,
      config: { ...settings, log: createLog({ name: "contract", level: "debug" }, { write }) },
    }),
  vault,
  async openProvider() {
    const standIn = await startWhatsAppWebStandIn({
      phones: people.map((number) => ({ number })),
    });
    standIns.set(standIn.url, standIn);
    return {
      url: standIn.url,
      addAccount: () => accountOf(standIn),
      wrongCredentials: { ...unhurried, phone: "9647799999999" },
      close: () => standIn.close(),
    };
  },
});

/** What a send meets, and what it means. */
const faults: Readonly<Record<string, [ProviderError["means"], WhatsAppWebFault]>> = {
  "429 too much": ["throttled", { kind: "refuse_message", error: 429 }],
  "503 not now": ["unavailable", { kind: "refuse_message", error: 503 }],
  "no acknowledgement": ["uncertain", { kind: "no_ack" }],
  "the connection breaks after the message": ["uncertain", { kind: "drop_after_message" }],
  "463 no first contacts": ["rejected", { kind: "refuse_message", error: 463 }],
  "a refusal that nobody knows": ["rejected", { kind: "refuse_message", error: 499 }],
};

let lastNumber = 9_647_700_100_000;

function accountOf(standIn: WhatsAppWebStandIn): ProviderAccount {
  const shop = String(++lastNumber);
  standIn.addPhone({ number: shop, name: "Shop" });
  return {
    credentials: { ...unhurried, phone: shop },
    address: shop,
    people,
    says: (from, text) => void standIn.send({ from, to: shop, content: { kind: "text", text } }),
    got: (person) =>
      standIn
        .messages(person, shop)
        .filter(({ from }) => from === shop)
        .map(({ messageId, content }) => ({
          text: content?.kind === "text" ? content.text : "",
          providerMessageId: messageId,
        })),
    refuseAfter: (accepted) => refuseAfter(standIn, shop, accepted),
    errors: [
      ...Object.entries(faults).map(([name, [means, fault]]) => ({
        name,
        means,
        provoke: () => void standIn.faults.add({ ...fault, phone: shop }),
      })),
      {
        name: "unlinked by the phone",
        means: "unauthorized",
        provoke: () => standIn.unlink({ phone: shop }),
      },
    ],
    payloads: payloads(shop),
    phone: {
      async use(shown) {
        await (shown.kind === "qr"
          ? standIn.scan({ phone: shop, qr: shown.text })
          : standIn.enterCode({ phone: shop, code: shown.code }));
      },
      links: () => standIn.phone(shop).linked.length,
    },
    inlet: { kind: "push", push: (body) => push(standIn, shop, body) },
  };
}

function refuseAfter(standIn: WhatsAppWebStandIn, shop: string, accepted: number): void {
  let left = accepted;
  const end = standIn.onChange((change) => {
    if (change.type !== "message" || change.phone !== shop) return;
    if (change.message.from !== shop || --left > 0) return;
    end();
    standIn.faults.add({ kind: "refuse_message", error: 503, phone: shop });
  });
}

function must<T>(found: T | undefined): T {
  if (found === undefined) throw new Error("There is no such stand-in.");
  return found;
}

/** What the suite brings in: something said, or a receipt. */
const body = z.union([
  z.object({ from: z.string(), to: z.string(), text: z.string(), messageId: z.string() }),
  z.object({ read: z.string().nullable() }),
]);

function push(standIn: WhatsAppWebStandIn, shop: string, text: string): void {
  const brought = body.parse(JSON.parse(text));
  if (!("read" in brought)) {
    const { text: said, ...place } = brought;
    void standIn.send({ ...place, content: { kind: "text", text: said } });
  } else if (brought.read !== null) standIn.read({ phone: brought.read, chat: shop });
}

function payloads(shop: string): ProviderAccount["payloads"] {
  const said = (from: string, to: string, text: string) => {
    const messageId = `3A${randomBytes(9).toString("hex").toUpperCase()}`;
    return { messageId, body: JSON.stringify({ from, to, text, messageId }) };
  };
  const [to] = people;
  const text = "written on the phone";
  const own = said(shop, to, text);
  return {
    message: (person, words) => said(person, shop, words).body,
    own: [{ body: own.body, to, text, providerMessageId: own.messageId }],
    // Delivered is told by itself; being read is up to the person.
    receipt: ({ person, status }) => JSON.stringify({ read: status === "read" ? person : null }),
    // A socket brings ciphertext, which no body of the suite can be held against; unknown kinds are judged in convert.test.ts.
    unknown: [],
  };
}
