// The desk at which clients wait to be paired, and what a phone does there: scan, or type a code.
import { randomBytes } from "node:crypto";
import type { Clock } from "../clock.ts";
import { isSignedByDevice, sealForClient, vouchFor } from "./adv.ts";
import { beginCodeExchange } from "./code-pairing.ts";
import type { LinkedState } from "./devices.ts";
import type { Faults } from "./faults.ts";
import type { Link } from "./link.ts";
import type { Introduction } from "./noise.ts";
import { ownDevice } from "./phones.ts";
import type { PhoneState } from "./phones.ts";
import { registrationOf } from "./registration.ts";
import type { Registration } from "./registration.ts";
import { addressOf, bytesOf, childOf, lidJid, node, pnJid, SERVER, seconds } from "./wire.ts";
import type { WireNode } from "./wire.ts";

/** A client that was not paired yet. */
interface Waiting {
  link: Link;
  refs: string[];
  registration: Registration;
  /** Whom it asked to type a code, and its key, wrapped with that code. */
  asked: Asked | null;
  /** What waits for its answers, by the id of the question. */
  answers: Map<string, (answer: WireNode) => void>;
  finished: ((bundle: Buffer) => void) | null;
  /** Rejects when the client goes away. */
  gone: Promise<never>;
  leave: (error: Error) => void;
}

interface Asked {
  number: string;
  wrapped: Buffer;
  ref: Buffer;
}

export interface PairingHost {
  clock: Clock;
  faults: Faults;
  newId: () => string;
  /** As `WireRecord.until`. */
  until: (condition: () => boolean, withinMs: number) => Promise<void>;
  changed: () => void;
  paired: (phone: PhoneState, linked: LinkedState, by: "qr" | "code") => void;
}

const REFS = 6;
/** How long a phone waits for the client, in real time: nobody moves the clock meanwhile. */
const PATIENCE_MS = 15_000;
const ASKING_MS = 2_000;

export class PairingDesk {
  readonly #host: PairingHost;
  readonly #waiting = new Map<Link, Waiting>();
  readonly #retired = new Set<string>();

  constructor(host: PairingHost) {
    this.#host = host;
  }

  /** A client comes that is nobody's: it gets what it draws its codes from. */
  open(link: Link, introduction: Introduction): void {
    const refs = Array.from({ length: REFS }, () => `2@${randomBytes(66).toString("base64")}`);
    const { promise: gone, reject: leave } = Promise.withResolvers<never>();
    // Mostly nobody waits for it.
    gone.catch(() => {});
    this.#waiting.set(link, {
      link,
      refs,
      registration: registrationOf(introduction),
      asked: null,
      answers: new Map(),
      finished: null,
      gone,
      leave,
    });
    const children = refs.map((ref) => node("ref", {}, Buffer.from(ref)));
    const attributes = { from: SERVER, type: "set", xmlns: "md", id: this.#host.newId() };
    link.send(node("iq", attributes, [node("pair-device", {}, children)]));
  }

  close(link: Link): void {
    this.#waiting.get(link)?.leave(new Error("The client has left."));
    this.#waiting.delete(link);
  }

  /** Ends all clients that wait: their codes are dead. */
  expire(): void {
    for (const link of this.#waiting.keys()) {
      link.send(node("xmlstreamend"));
      link.end("expired");
    }
  }

  /** What a waiting client sends. */
  received(link: Link, received: WireNode): void {
    const waiting = this.#waiting.get(link);
    if (waiting === undefined || received.tag !== "iq") return;
    const { id = "", type } = received.attrs;
    if (type === "result") {
      waiting.answers.get(id)?.(received);
      waiting.answers.delete(id);
      return;
    }
    const child = childOf(received, "link_code_companion_reg");
    const stage = child?.attrs["stage"];
    if (child !== undefined && stage === "companion_hello") this.#ask(waiting, id, child);
    else {
      if (child !== undefined && stage === "companion_finish")
        waiting.finished?.(bytesOf(child, "link_code_pairing_wrapped_key_bundle"));
      link.send(node("iq", { from: SERVER, type: "result", id }));
    }
  }

  async scan(phone: PhoneState, qr: string): Promise<LinkedState> {
    const { waiting, secret } = this.#find(qr);
    if (this.#host.faults.take("scan_failure", phone.number) !== null)
      throw new Error("Couldn't link device. Try again.");
    if (this.#host.faults.take("companion_refresh", phone.number) !== null) {
      this.refresh(qr);
      throw new Error("Couldn't link device. Try again with the next code.");
    }
    return this.#pair(waiting, phone, { secret: Buffer.from(secret, "base64"), by: "qr" });
  }

  async enterCode(phone: PhoneState, typed: string): Promise<LinkedState> {
    const code = typed.toUpperCase().replaceAll(/[^0-9A-Z]/g, "");
    const { waiting, asked } = await this.#askerOf(phone.number);
    const { wrapped, ref } = asked;
    const identity = ownDevice(phone, 0).identity;
    const exchange = await beginCodeExchange(code, wrapped, identity);
    const bundle = await this.#finishOf(waiting, [
      node("link_code_pairing_wrapped_primary_ephemeral_pub", {}, exchange.wrappedEphemeral),
      node("primary_identity_pub", {}, identity.public),
      node("link_code_pairing_ref", {}, ref),
    ]);
    return this.#pair(waiting, phone, {
      secret: secretOf(() => exchange.finish(bundle)),
      by: "code",
    });
  }

  /** Retires the secret in a QR and tells the client that shows it. Throws when no open client does. */
  refresh(qr: string): void {
    const { waiting, secret } = this.#find(qr);
    this.#retired.add(secret);
    const attributes = {
      from: SERVER,
      type: "companion_reg_refresh",
      id: this.#host.newId(),
      t: seconds(this.#host.clock.now()),
    };
    waiting.link.send(node("notification", attributes, [node("companion_reg_refresh")]));
  }

  #find(qr: string): { waiting: Waiting; secret: string } {
    const [ref = "", noise = "", identity = "", secret = ""] = qr
      .slice(qr.indexOf("#") + 1)
      .split(",");
    const waiting = [...this.#waiting.values()].find(({ refs }) => refs.includes(ref));
    if (waiting === undefined)
      throw new Error("This code is of no client that is open: it has expired.");
    const { noisePublic, identityPublic } = waiting.registration;
    if (!isBase64Of(noise, noisePublic) || !isBase64Of(identity, identityPublic))
      throw new Error("This code has other keys than the client that shows it.");
    if (this.#retired.has(secret))
      throw new Error("This code was retired: the client has to show another.");
    return { waiting, secret };
  }

  /** The client that asked this phone last. A client tells its code before its question is here, so one is waited for. */
  async #askerOf(number: string): Promise<{ waiting: Waiting; asked: Asked }> {
    const find = (): { waiting: Waiting; asked: Asked }[] =>
      [...this.#waiting.values()].flatMap((waiting) =>
        waiting.asked?.number === number ? [{ waiting, asked: waiting.asked }] : [],
      );
    await this.#host.until(() => find().length > 0, ASKING_MS).catch(() => {});
    const last = find().at(-1);
    if (last === undefined) throw new Error(`No client asked ${number} for a code.`);
    return last;
  }

  #ask(waiting: Waiting, id: string, asked: WireNode): void {
    const number = addressOf(asked.attrs["jid"])?.user ?? "";
    const ref = randomBytes(32);
    const wrapped = bytesOf(asked, "link_code_pairing_wrapped_companion_ephemeral_pub");
    waiting.asked = { number, wrapped, ref };
    this.#host.changed();
    const answer = node("link_code_companion_reg", { stage: "companion_hello" }, [
      node("link_code_pairing_ref", {}, ref),
    ]);
    waiting.link.send(node("iq", { from: SERVER, type: "result", id }, [answer]));
  }

  #finishOf(waiting: Waiting, hello: WireNode[]): Promise<Buffer> {
    const { promise, resolve } = Promise.withResolvers<Buffer>();
    waiting.finished = resolve;
    const attributes = {
      from: SERVER,
      type: "link_code_companion_reg",
      id: this.#host.newId(),
      t: seconds(this.#host.clock.now()),
    };
    const child = node("link_code_companion_reg", { stage: "primary_hello" }, hello);
    waiting.link.send(node("notification", attributes, [child]));
    return patient(waiting, promise);
  }

  async #pair(
    waiting: Waiting,
    phone: PhoneState,
    { secret, by }: { secret: Buffer; by: "qr" | "code" },
  ): Promise<LinkedState> {
    const { link, registration } = waiting;
    const device = phone.nextDevice;
    phone.nextDevice += 1;
    const vouched = vouchFor({
      phoneIdentity: ownDevice(phone, 0).identity,
      devicePublic: registration.identityPublic,
      keyIndex: device,
      now: this.#host.clock.now(),
    });
    const id = this.#host.newId();
    const { promise, resolve } = Promise.withResolvers<WireNode>();
    waiting.answers.set(id, resolve);
    Object.assign(waiting, { refs: [], asked: null });
    const attributes = {
      from: SERVER,
      type: "set",
      xmlns: "md",
      id,
      t: seconds(this.#host.clock.now()),
    };
    const success = node("pair-success", {}, [
      node("device-identity", {}, sealForClient(vouched, secret)),
      node("device", { jid: pnJid(phone.number, device), lid: lidJid(phone.lid, device) }),
      node("platform", { name: "android" }),
    ]);
    link.send(node("iq", attributes, [success]));
    const answer = childOf(await patient(waiting, promise), "pair-device-sign");
    if (!isSignedByDevice(bytesOf(answer, "device-identity"), vouched, registration.identityPublic))
      throw new Error("The client's signature is wrong.");
    const linked: LinkedState = {
      id: device,
      ...registration,
      preKeys: [],
      pending: [],
      historyDue: true,
      openings: 0,
      conflicts: 0,
    };
    this.#host.paired(phone, linked, by);
    link.send(node("stream:error", { code: "515" }));
    link.end("paired");
    return linked;
  }
}

function secretOf(finish: () => { secret: Buffer }): Buffer {
  try {
    return finish().secret;
  } catch (error) {
    throw new Error("The code is wrong.", { cause: error });
  }
}

function isBase64Of(text: string, bytes: Uint8Array): boolean {
  return text === Buffer.from(bytes).toString("base64");
}

function patient<Result>({ gone }: Waiting, promise: Promise<Result>): Promise<Result> {
  const { promise: late, reject } = Promise.withResolvers<Result>();
  const timer = setTimeout(() => reject(new Error("The client did not answer.")), PATIENCE_MS);
  return Promise.race([promise, gone, late]).finally(() => clearTimeout(timer));
}
