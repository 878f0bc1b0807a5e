// Safeguards of linked phones: pairing, and the patches of the library that speaks for them.
import type { Mutation } from "./mutation.ts";

const host = "packages/connector-kit/src/host";
const whatsapp = "apps/channel-whatsapp-qr";
const admin = "apps/console/server/src";

export const phoneMutations: readonly Mutation[] = [
  {
    name: "pairing shown without its owner",
    promise: "only the owner of a connection, under its present epoch, shows a code",
    file: "packages/db/src/pairings.ts",
    find: 'WHERE c.id = $1 AND EXISTS ${heldBy("$2", "$3")} AND p.connection_id = c.id AND p.id = $4',
    replace: "WHERE c.id = $1 AND $2 = $2 AND $3 = $3 AND p.connection_id = c.id AND p.id = $4",
    test: `${host}/pairing.test.ts`,
    named: "who no longer owns",
  },
  {
    name: "pairing of before",
    promise: "what ended before is not the end of what is asked for now",
    file: "packages/db/src/pairings.ts",
    find: "CASE WHEN p.id IS NOT NULL AND c.state = 'attention' THEN 'connecting' ELSE c.state END",
    replace: "c.state",
    test: `${admin}/admin/pairing.test.ts`,
    named: "codes are renewed",
  },
  {
    name: "pairing code of a dead attempt",
    promise: "a code that nobody answers to any more is not shown on",
    file: `${host}/pairing.ts`,
    find: "end(options, asked, fault) : display.clear());",
    replace: "end(options, asked, fault) : undefined);",
    test: `${host}/pairing.test.ts`,
    named: "a passing fault",
  },
  {
    name: "pairing by a used link",
    promise: "a link that linked a phone shows no code again",
    file: `${admin}/pair-page/routes.ts`,
    find: "link?.used === true && shows !== undefined ? null : pairing",
    replace: "shows === undefined ? pairing : pairing",
    test: `${admin}/admin/pairing.test.ts`,
    named: "used up never shows",
  },
  {
    name: "patch: a trial decryption on the session itself",
    promise: "what people wrote before the connection moved makes nothing unreadable that follows",
    file: `${whatsapp}/node_modules/libsignal/src/session_cipher.js`,
    find: "const session = stored.constructor.deserialize(stored.serialize());",
    replace: "const session = stored;",
    test: `${whatsapp}/src/ratchets.test.ts`,
    named: "thirty contacts",
  },
  {
    name: "patch: Baileys' own transactions",
    promise:
      "what is decrypted and what is sent take their steps under one lock, and are kept with it",
    file: `${whatsapp}/node_modules/@whiskeysockets/baileys/lib/Utils/auth-utils.js`,
    find: "if (typeof state.transaction === 'function') {",
    replace: "if (false) {",
    test: `${whatsapp}/src/ratchets.test.ts`,
    named: "thirty contacts",
  },
  {
    name: "patch: a receipt that waits for no commit",
    promise: "a message is receipted only once it is kept, with the step that decrypted it",
    file: `${whatsapp}/node_modules/@whiskeysockets/baileys/lib/Socket/messages-recv.js`,
    find: `await authState.keys.transaction(async () => {
                        await decrypt();
                        await config.keepMessage?.(msg, node);
                    }, authState.creds.me.id);`,
    replace: `void authState.keys.transaction(async () => {
                        await decrypt();
                        await config.keepMessage?.(msg, node);
                    }, authState.creds.me.id).catch(() => {});`,
    test: `${whatsapp}/src/crash.test.ts`,
    named: "could not be kept",
  },
  {
    name: "patch: bytes that leave before their ratchet step is kept",
    promise: "a step that was sent is never lost: the next message can be read",
    file: `${whatsapp}/node_modules/@whiskeysockets/baileys/lib/Socket/messages-send.js`,
    find: "await authState.keys.commit?.();\n            await sendNode(stanza);",
    replace: "await sendNode(stanza);\n            await authState.keys.commit?.();",
    test: `${whatsapp}/src/crash.test.ts`,
    named: "no byte of a message leaves",
  },
  {
    name: "patch: one lock for sending, another for receiving",
    promise:
      "a message that comes in and one that is sent never overwrite each other's ratchet step",
    file: `${whatsapp}/src/platform/key-store.ts`,
    find: "return this.#transactions.run(() => this.#run(work));",
    // As Baileys has it: whoever names the same label waits, nobody else.
    replace: `const locks: Map<string, Lock> = Reflect.get(this, "locks") ?? new Map();
    Reflect.set(this, "locks", locks.set(label, locks.get(label) ?? new Lock()));
    return locks.get(label)?.run(() => this.#run(work));`,
    test: `${whatsapp}/src/ratchets.test.ts`,
    named: "thirty contacts",
  },
];
