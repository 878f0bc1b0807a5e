// The server's end of one client: it waits to be paired, or logs in and is served.
import type { LinkedState } from "./devices.ts";
import { asksForOffline } from "./delivery.ts";
import type { OpenLink } from "./delivery.ts";
import { sendHistory } from "./history.ts";
import type { Link, LinkOwner } from "./link.ts";
import type { Introduction } from "./noise.ts";
import { linkedDevice } from "./phones.ts";
import type { PhoneState } from "./phones.ts";
import { aboutOf, answerTo, refusalOf } from "./queries.ts";
import { takeAck, takeReceipt, takeState } from "./receipts.ts";
import { routeMessage } from "./routing.ts";
import { unlink } from "./unlink.ts";
import { childOf, lidJid, node, seconds } from "./wire.ts";
import type { WireNode } from "./wire.ts";
import type { World } from "./world.ts";

/** Serves one WebSocket until it ends. */
export class Companion implements LinkOwner {
  readonly #world: World;
  #client: { phone: PhoneState; linked: LinkedState } | null = null;

  constructor(world: World) {
    this.#world = world;
  }

  muted(): boolean {
    return this.#world.faults.has("mute", this.#client?.phone.number ?? null);
  }

  introduced(link: Link, introduction: Introduction): void {
    const { username, device } = introduction.payload;
    if (introduction.payload.devicePairingData) return this.#world.pairing.open(link, introduction);
    const phone = this.#world.phones.find(String(username ?? ""));
    const linked = phone === null ? null : linkedDevice(phone, device ?? -1);
    const known = linked !== null && introduction.noisePublic.equals(linked.noisePublic);
    const fault = this.#world.faults.take("login_failure", phone?.number ?? null);
    if (fault !== null || phone === null || !known) {
      const reason = fault?.reason ?? 401;
      const who = { phone: phone?.number ?? null, device: device ?? null };
      this.#world.record.add(who, { kind: "refused", reason });
      link.send(node("failure", { ...fault?.attributes, reason: String(reason), location: "frc" }));
      return link.end(`login ${reason}`);
    }
    this.#logIn(link, phone, linked);
  }

  async received(link: Link, received: WireNode): Promise<void> {
    if (this.#client === null) return this.#world.pairing.received(link, received);
    const open = this.#world.delivery.openLink(this.#client.linked);
    if (open?.link !== link) return;
    await this.#serve(open, received);
    this.#world.touch();
  }

  closed(link: Link, reason: string): void {
    this.#world.pairing.close(link);
    if (this.#client === null) return;
    const { phone, linked } = this.#client;
    const wasOpen = this.#world.delivery.end(linked, link);
    const who = { phone: phone.number, device: linked.id };
    this.#world.record.add(who, { kind: "closed", reason });
    if (wasOpen) this.#world.changes.emit({ type: "disconnected", ...who });
  }

  failed(error: unknown): void {
    this.#world.log(`a client was cut off: ${String(error)}`);
  }

  #logIn(link: Link, phone: PhoneState, linked: LinkedState): void {
    const before = this.#world.delivery.openLink(linked);
    this.#client = { phone, linked };
    linked.openings += 1;
    if (before !== null) {
      linked.conflicts += 1;
      before.link.send(node("stream:error", {}, [node("conflict", { type: "replaced" })]));
      before.link.end("replaced");
    }
    const who = { phone: phone.number, device: linked.id };
    this.#world.record.add(who, { kind: "opened", conflict: before !== null });
    this.#world.log("a client logged in");
    const now = seconds(this.#world.clock.now());
    link.send(
      node("success", { t: now, lid: lidJid(phone.lid, linked.id), props: "27", location: "frc" }),
    );
    this.#world.delivery.begin(phone, linked, link);
    this.#world.changes.emit({ type: "connected", ...who });
  }

  async #serve(open: OpenLink, received: WireNode): Promise<void> {
    switch (received.tag) {
      case "iq":
        return this.#answer(open, received);
      case "message":
        return routeMessage(this.#world, open, received);
      case "receipt":
        return takeReceipt(this.#world, open, received);
      case "ack":
        return takeAck(this.#world, open, received);
      case "presence":
      case "chatstate":
        return takeState(this.#world, open, received);
      case "ib":
        if (asksForOffline(received)) this.#world.delivery.release(open.linked);
    }
  }

  async #answer(open: OpenLink, question: WireNode): Promise<void> {
    const who = { phone: open.phone.number, device: open.linked.id };
    // The client's own answers to the server need nothing.
    if (question.attrs["type"] === "result" || question.attrs["type"] === "error") return;
    const about = aboutOf(question);
    const strikes = (fault: { about: string }): boolean => about.startsWith(fault.about);
    const { faults, record } = this.#world;
    const ignored = faults.take("ignore_query", who.phone, strikes) !== null;
    record.add(who, { kind: "query", about, answered: !ignored });
    if (ignored) return;
    const refused = faults.take("refuse_query", who.phone, strikes);
    if (refused !== null) return void open.link.send(refusalOf(question, refused));
    if (childOf(question, "remove-companion-device") !== undefined)
      return unlink(this.#world, open.phone, { linked: open.linked, reason: "logged out" });
    const answer = answerTo(this.#world, open, question);
    const slow = faults.take("slow", who.phone);
    if (slow === null) open.link.send(answer);
    else this.#world.clock.after(slow.delayMs, () => open.link.send(answer));
    if (about === "passive set active" && open.linked.historyDue)
      await sendHistory(this.#world, open);
  }
}
