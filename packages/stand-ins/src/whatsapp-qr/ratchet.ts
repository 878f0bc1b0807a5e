// The Signal ratchets of the stand-in's own devices. Unlike libsignal's, a failed try changes nothing and nothing is printed.
import {
  encodeWAMessage,
  generateSignalPubKey,
  proto,
  unpadRandomMax16,
} from "@whiskeysockets/baileys";
import type { KeyPair } from "@whiskeysockets/baileys";
import { ProtocolAddress, SessionBuilder, SessionCipher, SessionRecord } from "libsignal";
import type { SignalStorage } from "libsignal";
import type { KeyBundle, OwnDevice } from "./devices.ts";

// What the package has and its own types leave out.
declare module "libsignal" {
  interface SessionEntry {
    indexInfo: { closed: number; used: number };
  }
  interface SessionRecord {
    sessions: Record<string, SessionEntry>;
    getSessions(): SessionEntry[];
    getOpenSession(): SessionEntry | undefined;
    closeSession(session: SessionEntry): void;
    removeOldSessions(): void;
  }
  interface SessionCipher {
    getRecord(): Promise<SessionRecord | null | undefined>;
    storeRecord(record: SessionRecord): Promise<void>;
    queueJob<Result>(work: () => Promise<Result>): Promise<Result>;
    doDecryptWhisperMessage(data: Buffer, session: SessionEntry): Promise<Buffer>;
  }
  interface SessionBuilder {
    initOutgoing(bundle: KeyBundle): Promise<void>;
  }
}

type SessionEntry = ReturnType<SessionRecord["getSessions"]>[number];

/** The other end of a ratchet. */
export interface Remote {
  lid: string;
  device: number;
}

/** One encrypted copy of a message. */
export interface Sealed {
  type: "pkmsg" | "msg";
  body: Buffer;
}

/**
 * Encrypts for one device. `bundle` is asked for when there is no ratchet yet, or a new one is wanted (`anew`): the old
 * one still reads what is on its way. Gives null when there is no bundle.
 */
export async function sealFor(
  device: OwnDevice,
  to: { remote: Remote; bundle: () => KeyBundle | null; anew?: boolean },
  message: proto.IMessage,
): Promise<Sealed | null> {
  const address = addressOf(device, to.remote);
  const storage = storageOf(device);
  const record = await storage.loadSession(address.toString());
  if (to.anew === true || !record?.haveOpenSession()) {
    const bundle = to.bundle();
    if (bundle === null) return null;
    await new SessionBuilder(storage, address).initOutgoing(bundle);
  }
  const { type, body } = await new QuietCipher(storage, address).encrypt(encodeWAMessage(message));
  return { type: type === 3 ? "pkmsg" : "msg", body: Buffer.from(body) };
}

/** Decrypts a copy. Rejects when no ratchet fits; the ratchets are as before then. */
export async function openFrom(
  device: OwnDevice,
  remote: Remote,
  sealed: { type: string; body: Uint8Array },
): Promise<proto.Message> {
  const cipher = new QuietCipher(storageOf(device), addressOf(device, remote));
  const body = Buffer.from(sealed.body);
  const padded =
    sealed.type === "pkmsg" ? await cipher.openPreKeyMessage(body) : await cipher.openByAny(body);
  return proto.Message.decode(unpadRandomMax16(padded));
}

/** Drops the ratchet with another device, as after a reinstallation. */
export function forgetRatchet(device: OwnDevice, remote: Remote): void {
  delete device.sessions[addressOf(device, remote).toString()];
}

/** libsignal orders its work by this name in one queue for the whole process, so it says whose ratchet it is. */
function addressOf(device: OwnDevice, { lid, device: id }: Remote): ProtocolAddress {
  const owner = Buffer.from(device.identity.public).toString("hex").slice(0, 16);
  return new ProtocolAddress(`${owner}-${lid}`, id);
}

/** A record that closes and drops sessions without printing them. */
class QuietRecord extends SessionRecord {
  /** Set while a message that begins a session is read: the open one gives way. */
  openGivesWay = false;

  override getOpenSession(): SessionEntry | undefined {
    const open = super.getOpenSession();
    if (!this.openGivesWay || open === undefined) return open;
    this.closeSession(open);
    return undefined;
  }

  override closeSession(session: SessionEntry): void {
    session.indexInfo.closed = Date.now();
  }

  override removeOldSessions(): void {
    const closed = Object.entries(this.sessions)
      .filter(([, { indexInfo }]) => indexInfo.closed !== -1)
      .toSorted(([, one], [, other]) => other.indexInfo.closed - one.indexInfo.closed);
    for (const [key] of closed.slice(MOST_CLOSED)) delete this.sessions[key];
  }
}

const MOST_CLOSED = 39;

class QuietCipher extends SessionCipher {
  #openGivesWay = false;

  override async getRecord(): Promise<SessionRecord | null | undefined> {
    const record = await super.getRecord();
    if (record instanceof QuietRecord) record.openGivesWay = this.#openGivesWay;
    return record;
  }

  openPreKeyMessage(body: Buffer): Promise<Buffer> {
    this.#openGivesWay = true;
    return this.decryptPreKeyWhisperMessage(body);
  }

  /** Tries every session, each on a record read anew: a try that fails leaves its marks on a copy. */
  openByAny(body: Buffer): Promise<Buffer> {
    return this.queueJob(async () => {
      let failure: unknown = new Error("There is no session.");
      for (let index = 0; ; index += 1) {
        const record = await this.getRecord();
        const session = record?.getSessions()[index];
        if (!record || session === undefined) throw failure;
        try {
          const plaintext = await this.doDecryptWhisperMessage(body, session);
          session.indexInfo.used = Date.now();
          await this.storeRecord(record);
          return plaintext;
        } catch (error) {
          failure = error;
        }
      }
    });
  }
}

function storageOf(device: OwnDevice): SignalStorage {
  const pair = ({ public: publicKey, private: privateKey }: KeyPair) => ({
    pubKey: Buffer.from(generateSignalPubKey(publicKey)),
    privKey: Buffer.from(privateKey),
  });
  return {
    loadSession: async (id) => {
      const stored = device.sessions[id];
      return stored === undefined ? undefined : QuietRecord.deserialize(stored);
    },
    storeSession: async (id, record) => void (device.sessions[id] = record.serialize()),
    isTrustedIdentity: () => true,
    loadPreKey: async (id) => {
      const key = device.preKeys[String(id)];
      return key === undefined ? undefined : pair(key);
    },
    removePreKey: (id) => void delete device.preKeys[String(id)],
    loadSignedPreKey: () => pair(device.signedPreKey.keyPair),
    getOurRegistrationId: () => device.registrationId,
    getOurIdentity: () => pair(device.identity),
  };
}
