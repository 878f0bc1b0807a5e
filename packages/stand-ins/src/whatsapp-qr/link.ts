// One WebSocket of a client: frames, handshake, and nodes both ways, one after the other.
import { decodeBinaryNode, encodeBinaryNode } from "@whiskeysockets/baileys";
import type { WebSocket } from "ws";
import { NoiseResponder } from "./noise.ts";
import type { Introduction, Transport } from "./noise.ts";
import type { Trust } from "./trust.ts";
import type { WireNode } from "./wire.ts";

/** What a link tells its owner. Nodes come strictly one at a time: the next when the promise has settled. */
export interface LinkOwner {
  /** Nothing is answered and nothing sent while this holds. */
  muted(): boolean;
  introduced(link: Link, introduction: Introduction): void;
  received(link: Link, node: WireNode): Promise<void>;
  closed(link: Link, reason: string): void;
  failed(error: unknown): void;
}

/** "ED", two bytes of version, three of length: a hint where to route, before the first frame. */
const ROUTING_HEADER = Buffer.from("ED");
const WEB_HEADER = Buffer.from([0x57, 0x41, 0x06, 0x03]);

export class Link {
  readonly #socket: WebSocket;
  readonly #owner: LinkOwner;
  readonly #noise: NoiseResponder;
  #transport: Transport | null = null;
  #incoming: Buffer = Buffer.alloc(0);
  #greeted = false;
  #answeredHello = false;
  #work: Promise<void> = Promise.resolve();
  #endReason: string | null = null;

  constructor(socket: WebSocket, options: { trust: Trust; owner: LinkOwner }) {
    this.#socket = socket;
    this.#owner = options.owner;
    this.#noise = new NoiseResponder(options.trust);
    socket.on("message", (data: Buffer) => this.#take(data));
    socket.on("error", () => {});
    socket.on("close", () => this.#close("left"));
  }

  get open(): boolean {
    return this.#endReason === null;
  }

  /** Sends a node. Nothing happens before the handshake, after the end, or while muted. */
  send(node: WireNode): boolean {
    if (!this.open || this.#transport === null || this.#owner.muted()) return false;
    this.#write(this.#transport.encrypt(encodeBinaryNode(node)));
    return true;
  }

  /** Ends the link in order; what was sent before still leaves. */
  end(reason: string): void {
    this.#close(reason);
    this.#socket.close();
  }

  /** Cuts the TCP connection. */
  reset(reason: string): void {
    this.#close(reason);
    this.#socket.terminate();
  }

  #take(data: Buffer): void {
    this.#incoming = Buffer.concat([this.#incoming, data]);
    if (!this.#greeted && !this.#readGreeting()) return;
    while (this.#incoming.length >= 3) {
      const end = 3 + this.#incoming.readUIntBE(0, 3);
      if (this.#incoming.length < end) return;
      const frame = this.#incoming.subarray(3, end);
      this.#incoming = this.#incoming.subarray(end);
      this.#work = this.#work
        .then(() => this.#handle(frame))
        .catch((error: unknown) => {
          this.#owner.failed(error);
          this.reset("failed");
        });
    }
  }

  #readGreeting(): boolean {
    let start = 0;
    if (this.#incoming.subarray(0, 2).equals(ROUTING_HEADER)) {
      if (this.#incoming.length < 7) return false;
      start = 7 + this.#incoming.readUIntBE(4, 3);
    }
    if (this.#incoming.length < start + WEB_HEADER.length) return false;
    const header = this.#incoming.subarray(start, start + WEB_HEADER.length);
    if (!header.equals(WEB_HEADER)) {
      this.reset("not WhatsApp Web");
      return false;
    }
    this.#incoming = this.#incoming.subarray(start + WEB_HEADER.length);
    this.#greeted = true;
    return true;
  }

  async #handle(frame: Buffer): Promise<void> {
    if (!this.open) return;
    if (this.#transport !== null) {
      const node = await decodeBinaryNode(this.#transport.decrypt(frame));
      if (!this.#owner.muted()) await this.#owner.received(this, node);
    } else if (this.#owner.muted()) {
      return;
    } else if (!this.#answeredHello) {
      this.#answeredHello = true;
      this.#write(this.#noise.answerHello(frame));
    } else {
      const introduction = this.#noise.readFinish(frame);
      this.#transport = introduction.transport;
      this.#owner.introduced(this, introduction);
    }
  }

  #write(body: Uint8Array): void {
    const frame = Buffer.alloc(3 + body.length);
    frame.writeUIntBE(body.length, 0, 3);
    frame.set(body, 3);
    this.#socket.send(frame);
  }

  #close(reason: string): void {
    if (this.#endReason !== null) return;
    this.#endReason = reason;
    this.#owner.closed(this, reason);
  }
}
