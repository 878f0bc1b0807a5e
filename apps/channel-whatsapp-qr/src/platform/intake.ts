// What comes in over a socket, on its way to be kept: in the transaction that decrypted it, before its receipt leaves.
import { jidNormalizedUser, proto, unpadRandomMax16 } from "@whiskeysockets/baileys";
import type { BinaryNode, SocketConfig, WAMessage } from "@whiskeysockets/baileys";
import type { RawItem } from "@thikaa/connector-kit";
import { lidJid, numberJid, personOf } from "../ids.ts";
import type { Envelope, ReceiptEnvelope, UndecryptedEnvelope } from "../inbound/envelope.ts";
import type { AuthState } from "./auth-state.ts";

/** What is kept of something that came in: items for the inbox, and values beside them. */
export interface Kept {
  readonly items: readonly RawItem[];
  readonly values: Readonly<Record<string, string>>;
}

/** The connection, as a socket sees it. */
export interface Keeper {
  /** Whether a message was kept already; asked before it is decrypted again. */
  isKept(message: { id: string; own: boolean }): boolean;
  /** What to keep; both are written in one transaction with the ratchet step. */
  keepMessage(envelope: Envelope): Kept;
  keepUndecrypted(envelope: UndecryptedEnvelope): Kept;
  /** Resolves when the receipts are kept. */
  keepReceipts(envelopes: readonly ReceiptEnvelope[]): Promise<void>;
  /** The message that was sent under this id, encoded; `null` when it is no longer known. */
  sentMessage(id: string): Promise<Uint8Array | null>;
}

type Repository = ReturnType<SocketConfig["makeSignalRepository"]>;
type Receipt = Parameters<NonNullable<SocketConfig["keepReceipt"]>>[0];

/** By WhatsApp's types; one without a type says that it was delivered. */
const receiptStatuses: Readonly<Record<string, ReceiptEnvelope["status"]>> = {
  "": "delivered",
  inactive: "delivered",
  read: "read",
  played: "read",
};

/** Baileys' words for a message that was decrypted before. */
const repeatWords = "Key used already or never filled";

export class Intake {
  readonly #auth: AuthState;
  readonly #keeper: Keeper;

  constructor(auth: AuthState, keeper: Keeper) {
    this.#auth = auth;
    this.#keeper = keeper;
  }

  /** The repository, with an ear on what it decrypts: Baileys throws away what it can't read of a plaintext. */
  listenTo(repository: Repository): Repository {
    const note = (padded: Uint8Array) => {
      this.#auth.keys.notePlaintext(unpadRandomMax16(padded));
      return padded;
    };
    return {
      ...repository,
      decryptMessage: async (given) => note(await repository.decryptMessage(given)),
      decryptGroupMessage: async (given) => note(await repository.decryptGroupMessage(given)),
    };
  }

  isKept(message: { id: string; own: boolean }): Promise<boolean> {
    return Promise.resolve(this.#keeper.isKept(message));
  }

  async keepMessage(message: WAMessage, node: BinaryNode): Promise<void> {
    const { items, values } = await this.#toKept(message, node);
    this.#auth.keys.keep(items, values);
  }

  async keepReceipt({ key, ids, type = "", isOwn, node }: Receipt): Promise<void> {
    const status = receiptStatuses[type];
    const chat = key.remoteJid ?? "";
    // Of groups, and from other devices of our own side, nobody is told.
    if (status === undefined || isOwn || key.fromMe !== true || personOf(chat) === null) return;
    const at = Number(node.attrs["t"]);
    const shared = {
      kind: "receipt" as const,
      chat: jidNormalizedUser(chat),
      alt: await this.#otherAddress(chat, null),
      status,
      at: Number.isFinite(at) && at > 0 ? at : null,
    };
    await this.#keeper.keepReceipts(ids.map((id) => ({ ...shared, id })));
  }

  async #toKept(message: WAMessage, node: BinaryNode): Promise<Kept> {
    const id = message.key.id ?? "";
    const fault = undecryptable(message);
    if (fault !== null)
      return fault === repeatWords
        ? { items: [], values: {} }
        : this.#keeper.keepUndecrypted({
            kind: "undecrypted",
            id,
            chat: jidNormalizedUser(message.key.remoteJid ?? undefined),
            fault,
            ciphertexts: ciphertextsOf(node),
          });
    if (message.category === "peer") return this.#resent(message);
    const { plaintexts } = this.#auth.keys;
    return this.#keeper.keepMessage(await this.#envelopeOf(message, node, plaintexts.map(base64)));
  }

  /** The phone gives again what could not be decrypted here, as whole messages inside one of its own. */
  async #resent({ message }: WAMessage): Promise<Kept> {
    const results =
      message?.protocolMessage?.peerDataOperationRequestResponseMessage?.peerDataOperationResult;
    const kept: Kept[] = [];
    for (const result of results ?? []) {
      const bytes = result.placeholderMessageResendResponse?.webMessageInfoBytes;
      if (bytes === null || bytes === undefined) continue;
      const given = proto.WebMessageInfo.decode(bytes);
      const said = given.message;
      if (said === null || said === undefined) continue;
      const plaintext = base64(proto.Message.encode(said).finish());
      kept.push(
        this.#keeper.keepMessage(
          await this.#envelopeOf(Object.assign(given, { key: given.key ?? {} }), null, [plaintext]),
        ),
      );
    }
    return {
      items: kept.flatMap(({ items }) => items),
      values: Object.fromEntries(kept.flatMap(({ values }) => Object.entries(values))),
    };
  }

  async #envelopeOf(
    message: WAMessage,
    node: BinaryNode | null,
    messages: string[],
  ): Promise<Envelope> {
    const { key, pushName, messageTimestamp } = message;
    const chat = jidNormalizedUser(key.remoteJid ?? undefined);
    const own = key.fromMe === true;
    const at = Number(messageTimestamp);
    return {
      kind: "message",
      id: key.id ?? "",
      chat,
      alt: await this.#otherAddress(chat, own ? recipientOf(node) : (key.remoteJidAlt ?? null)),
      participant: key.participant ?? null,
      own,
      name: pushName ?? null,
      at: Number.isFinite(at) && at > 0 ? at : null,
      messages,
    };
  }

  /** The person's address of the other kind: as the server told it, else as it is known here. */
  async #otherAddress(chat: string, told: string | null): Promise<string | null> {
    const person = personOf(chat, told);
    if (person === null || (person.number !== null && person.lid !== null))
      return told === null ? null : jidNormalizedUser(told);
    const { number, lid } = person;
    const name = number ?? `${lid ?? ""}_reverse`;
    const { [name]: other } = await this.#auth.keys.get("lid-mapping", [name]);
    if (other === undefined) return null;
    return number === null ? numberJid(other) : lidJid(other);
  }
}

/** Why a message could not be decrypted, in Baileys' words; `null` when it was. */
function undecryptable({ messageStubType, messageStubParameters }: WAMessage): string | null {
  if (messageStubType !== proto.WebMessageInfo.StubType.CIPHERTEXT) return null;
  const parameters: unknown = messageStubParameters;
  const words: unknown = Array.isArray(parameters) ? parameters[0] : null;
  return typeof words === "string" ? words : "unknown";
}

function recipientOf(node: BinaryNode | null): string | null {
  const attributes = node?.attrs ?? {};
  return (
    attributes["recipient_pn"] ??
    attributes["recipient_lid"] ??
    attributes["peer_recipient_pn"] ??
    attributes["peer_recipient_lid"] ??
    null
  );
}

function ciphertextsOf({ content }: BinaryNode): string[] {
  return (Array.isArray(content) ? content : []).flatMap((child) =>
    child.tag === "enc" && child.content instanceof Uint8Array ? [base64(child.content)] : [],
  );
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}
