// What was mended in libsignal: trials change nothing, nothing is printed, and work runs in its caller's context.
import { AsyncLocalStorage } from "node:async_hooks";
import { Curve, generateSignalPubKey, signedKeyPair } from "@whiskeysockets/baileys";
import libsignal from "libsignal";
import type { SessionRecord, SignalStorage } from "libsignal";
import { afterEach, expect, test, vi } from "vitest";

afterEach(() => vi.restoreAllMocks());

/** Somebody with keys of their own, on a store in memory. */
function openParty(number: number) {
  const identity = Curve.generateKeyPair();
  const signed = signedKeyPair(identity, 1);
  const preKey = Curve.generateKeyPair();
  const records = new Map<string, SessionRecord>();
  const seen: unknown[] = [];
  const toBuffers = (pair: { public: Uint8Array; private: Uint8Array }) => ({
    privKey: Buffer.from(pair.private),
    pubKey: Buffer.from(generateSignalPubKey(pair.public)),
  });
  const context = new AsyncLocalStorage<unknown>();
  const storage: SignalStorage = {
    loadSession: async (id) => {
      seen.push(context.getStore());
      const record = records.get(id);
      return record && libsignal.SessionRecord.deserialize(record.serialize());
    },
    storeSession: async (id, record) => void records.set(id, record),
    isTrustedIdentity: () => true,
    loadPreKey: async () => toBuffers(preKey),
    removePreKey: () => undefined,
    loadSignedPreKey: () => toBuffers(signed.keyPair),
    getOurRegistrationId: () => number,
    getOurIdentity: () => toBuffers(identity),
  };
  return {
    context,
    seen,
    bundle: {
      registrationId: number,
      identityKey: generateSignalPubKey(identity.public),
      signedPreKey: {
        keyId: signed.keyId,
        publicKey: generateSignalPubKey(signed.keyPair.public),
        signature: signed.signature,
      },
      preKey: { keyId: 1, publicKey: generateSignalPubKey(preKey.public) },
    },
    builder: (address: libsignal.ProtocolAddress) => new libsignal.SessionBuilder(storage, address),
    cipher: (address: libsignal.ProtocolAddress) => new libsignal.SessionCipher(storage, address),
  };
}

const words = (text: string) => Buffer.from(text);
const sealed = ({ body }: { body: string }) => Buffer.from(body, "binary");

/** Two sessions between the same two, with an answer under way in each. */
async function openTwoSessions() {
  const [us, them] = [openParty(1), openParty(2)];
  const [toThem, toUs] = [
    new libsignal.ProtocolAddress("them", 0),
    new libsignal.ProtocolAddress("us", 0),
  ];
  const answers: Buffer[] = [];
  for (const text of ["first", "second"]) {
    await us.builder(toThem).initOutgoing(them.bundle);
    const greeting = sealed(await us.cipher(toThem).encrypt(words(text)));
    await them.cipher(toUs).decryptPreKeyWhisperMessage(greeting);
    answers.push(sealed(await them.cipher(toUs).encrypt(words(`re ${text}`))));
  }
  return { us, cipher: us.cipher(toThem), answers };
}

test("an answer in one session leaves the other one whole, and no key is printed", async () => {
  const printed = (["log", "info", "warn", "error", "debug"] as const).map((method) =>
    vi.spyOn(console, method).mockImplementation(() => undefined),
  );
  const { cipher, answers } = await openTwoSessions();
  const read: string[] = [];
  for (const answer of answers) read.push(String(await cipher.decryptWhisperMessage(answer)));
  expect(read).toEqual(["re first", "re second"]);
  for (const method of printed) expect(method).not.toHaveBeenCalled();
});

test("work that waits in the queue of an address runs in the context of whoever asked for it", async () => {
  const { us, cipher, answers } = await openTwoSessions();
  us.seen.length = 0;
  await Promise.all(
    answers.map((answer, n) => us.context.run(n, () => cipher.decryptWhisperMessage(answer))),
  );
  expect(us.seen).toEqual([0, 1]);
});
