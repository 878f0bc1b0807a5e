// A house of linked phones: several processes that host them, and the server's stand-in, with the people who talk with them.
import type { Database } from "@thikaa/db";
import type { AdminClient } from "@thikaa/sdk";
import { startWhatsAppWebStandIn } from "@thikaa/stand-ins";
import type { WhatsAppWebStandIn } from "@thikaa/stand-ins";
import { startWebhookSink } from "@thikaa/testkit";
import type { Services } from "../services/start.ts";
import { makeStore, openingCredits } from "./house.ts";
import type { Played, Provider, Receipt, Recipient } from "./house.ts";
import { runServices } from "./running.ts";
import type { RunningOptions } from "./running.ts";

/** A person who talks with the phone of a connection; both are named by their numbers. */
export interface Chat extends Recipient {
  readonly phone: string;
  readonly person: string;
}

export interface PhonesHouse extends Played<Chat> {
  readonly services: Services;
  readonly database: Database;
  readonly standIn: WhatsAppWebStandIn;
  /** Their numbers. */
  readonly phones: readonly string[];
}

export interface PhonesHouseOptions extends Pick<RunningOptions, "given"> {
  /** Processes that host phones. */
  readonly hosts: number;
  readonly phones: number;
  readonly peoplePerPhone: number;
}

const pairedAtOnce = 6;
const pairedWithinMs = 120_000;
/** Scenes judge order and loss: they wait for no pause, and no cap. */
const unhurried = { pace_min_ms: "0", pace_max_ms: "0", daily_first_contacts: "0" };

/** Starts everything, makes the store, and pairs its phones as their owners do: by scanning the code that the admin API shows. */
export async function openPhonesHouse(options: PhonesHouseOptions): Promise<PhonesHouse> {
  const [standIn, sink] = await Promise.all([
    startWhatsAppWebStandIn({ phones: [] }),
    startWebhookSink(),
  ]);
  const running = await runServices({
    counts: { gateways: 1, channels: 0, whatsapp: options.hosts, inboxes: 1, webhooks: 1 },
    given: options.given,
    environment: { WHATSAPP_WEB_URL: standIn.url },
  });
  const close = async (): Promise<void> => {
    await running.close();
    await Promise.all([standIn.close(), sink.close()]);
  };
  const { admin } = running;
  try {
    const store = await makeStore(
      { admin, sink },
      { slug: "faults", credits: openingCredits, channel: "wd" },
    );
    const lanes = await pairPhones({ admin, standIn, slug: store.slug }, options);
    const phones = [...new Set(lanes.map(({ phone }) => phone))];
    const provider = providerOf(standIn, { lanes, phones });
    return {
      ...running,
      ...store,
      ...provider,
      standIn,
      sink,
      phones,
      lanes,
      openingCredits,
      close,
    };
  } catch (error) {
    process.stderr.write(`${running.lastLines()}\n`);
    await close();
    throw error;
  }
}

interface Pairing {
  readonly admin: AdminClient;
  readonly standIn: WhatsAppWebStandIn;
  readonly slug: string;
}

async function pairPhones(
  pairing: Pairing,
  { phones, peoplePerPhone }: PhonesHouseOptions,
): Promise<Chat[]> {
  const numbers = Array.from({ length: phones }, (_, place) => String(9_647_710_000_000 + place));
  const chats: Chat[] = [];
  const work = async (): Promise<void> => {
    for (let phone = numbers.shift(); phone !== undefined; phone = numbers.shift())
      chats.push(...(await pairPhone(pairing, { phone, people: peoplePerPhone })));
  };
  await Promise.all(Array.from({ length: pairedAtOnce }, work));
  // Whoever goes through them comes to every phone before a second time to any.
  const orderOf = ({ person }: Chat) => `${person.slice(-1)}${person}`;
  return chats.toSorted((left, right) => orderOf(left).localeCompare(orderOf(right)));
}

/** Makes a connection, pairs its phone, and gives the chats of the people who will talk with it. */
async function pairPhone(
  { admin, standIn, slug }: Pairing,
  { phone, people }: { phone: string; people: number },
): Promise<Chat[]> {
  standIn.addPhone({ number: phone, name: "Shop" });
  const connection = await admin.request<{ id: string }>("POST", `/stores/${slug}/connections`, {
    channel: "wd",
    name: `Phone ${phone}`,
    credentials: { ...unhurried, phone },
  });
  await admin.pair(connection.id);
  await scanned({ admin, standIn }, { phone, connectionId: connection.id });
  return Array.from({ length: people }, (_, place) => {
    const person = `${phone}${place}`;
    const { lid } = standIn.addPhone({ number: person, name: `Person ${person}` });
    // Every second one hides their number, and is written to at their LID.
    const isHidden = place % 2 === 1;
    standIn.setPhone(person, { hidesNumber: isHidden });
    const to = isHidden ? lid : person;
    return {
      name: `${phone}:${person}`,
      address: { channel: "wd", to, connection_id: connection.id },
      phone,
      person,
    };
  });
}

async function scanned(
  { admin, standIn }: Omit<Pairing, "slug">,
  { phone, connectionId }: { phone: string; connectionId: string },
): Promise<void> {
  const signal = AbortSignal.timeout(pairedWithinMs);
  let seen = "";
  for await (const { state, qr = "", reason } of admin.watchPairing(connectionId, { signal })) {
    if (state === "connected") return;
    if (state === "attention")
      throw new Error(`Phone ${phone} could not be paired: ${reason?.message ?? state}`);
    if (qr === "" || qr === seen) continue;
    seen = qr;
    await standIn.scan({ phone, qr });
  }
  throw new Error(`Nobody told how the pairing of phone ${phone} ended.`);
}

function providerOf(
  standIn: WhatsAppWebStandIn,
  { lanes, phones }: { lanes: readonly Chat[]; phones: readonly string[] },
): Provider<Chat> {
  const unsaid: string[] = [];
  return {
    longestPart: null,
    onArrival: (listener) =>
      standIn.onChange((change) => {
        if (change.type !== "message" && change.type !== "update") return;
        const { content, to } = change.message;
        if (change.phone === to && content?.kind === "text") listener(content.text);
      }),
    receipts: (prefix) => readByPeople(standIn, { lanes, prefix }),
    says: ({ phone, person }, text) => {
      standIn
        .send({ from: person, to: phone, content: { kind: "text", text } })
        .catch((error: unknown) => unsaid.push(`${person} could not write: ${String(error)}`));
    },
    neverSeen: () => [...unsaid, ...faultsSeen(standIn, phones)],
    heal: () => standIn.faults.clear(),
  };
}

/** What stands on people's screens of what the phones wrote, and can be read there. */
function readByPeople(
  standIn: WhatsAppWebStandIn,
  { lanes, prefix }: { lanes: readonly Chat[]; prefix: string },
): Map<string, Receipt[]> {
  const found = new Map<string, Receipt[]>();
  for (const { phone, person } of lanes)
    for (const [n, { from, at, content }] of standIn.messages(person, phone).entries()) {
      if (from !== phone || content?.kind !== "text" || !content.text.startsWith(prefix)) continue;
      found.set(content.text, [...(found.get(content.text) ?? []), { n, at }]);
    }
  return found;
}

/** Everything of which a phone's owner or WhatsApp would take notice. */
function faultsSeen(standIn: WhatsAppWebStandIn, phones: readonly string[]): string[] {
  const { record } = standIn;
  const linked = phones.flatMap((phone) => standIn.phone(phone).linked);
  const written = record.entries({ kind: "message" });
  const counts = {
    "one phone was held by two processes": linked.reduce(
      (sum, { conflicts }) => sum + conflicts,
      0,
    ),
    "a phone is not linked once": Math.abs(linked.length - phones.length),
    "a device could not decrypt what was sent": written
      .flatMap(({ copies }) => copies)
      .filter(({ error }) => error !== null).length,
    "what was sent had to be sent again": written.filter(({ resent }) => resent).length,
    "what came in could not be decrypted": record
      .entries({ kind: "receipt" })
      .filter(({ type }) => type === "retry").length,
    "what came in was refused": record
      .entries({ kind: "ack" })
      .filter(({ error }) => error !== null).length,
    "a login was refused": record.entries({ kind: "refused" }).length,
  };
  return Object.entries(counts).flatMap(([what, count]) =>
    count === 0 ? [] : [`${what}: ${count} times`],
  );
}
