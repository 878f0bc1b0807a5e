// Safeguards of commands: edits, deletions, reactions and marks of reading.
import type { Mutation } from "./mutation.ts";

const sending = "packages/sending/src";

export const commandMutations: readonly Mutation[] = [
  {
    name: "a command about another key's message",
    promise: "a key names what it sent itself, and what came in",
    file: `${sending}/change-target.ts`,
    find: "direction = 'out' AND instance_id = $3 OR",
    replace: "direction = 'out' AND $3::uuid IS NOT NULL OR",
    test: "apps/gateway/src/react.test.ts",
    named: "may not name",
  },
  {
    name: "a command about what was deleted in another conversation",
    promise: "providers number messages by conversation: the address makes the id whole",
    file: `${sending}/change-target.ts`,
    find: " AND d.address = m.address",
    replace: "",
    test: "apps/gateway/src/react.test.ts",
    named: "stands in nobody's way",
  },
  {
    name: "a command that marks another conversation",
    promise: "a mark of reading names messages of one conversation",
    file: `${sending}/change-target.ts`,
    find: "AND m.conversation_id = (SELECT t.conversation_id FROM messages t WHERE t.store_id = $1 AND t.id = $2)",
    replace: "",
    test: "apps/gateway/src/react.test.ts",
    named: "of its conversation alone",
  },
  {
    name: "a command that marks what was marked",
    promise: "a mark of reading names what is not marked yet",
    file: `${sending}/change-target.ts`,
    find: " AND NOT EXISTS (SELECT 1 FROM marked WHERE marked.id >= recent.id)",
    replace: "",
    test: "apps/gateway/src/react.test.ts",
    named: "not marked yet",
  },
  {
    name: "a command that failed and marked",
    promise: "a mark that failed marked nothing",
    file: `${sending}/change-target.ts`,
    find: " AND command.status = 'sent'",
    replace: "",
    test: "apps/gateway/src/react.test.ts",
    named: "failed marked nothing",
  },
  {
    name: "a command made twice is a duplicate",
    promise: "a command that was made twice has done the same as once",
    file: `${sending}/settle.ts`,
    find: " AND NOT content ? 'change'",
    replace: "",
    test: `${sending}/change.test.ts`,
    named: "two owners",
  },
  {
    name: "a command that reacts to our own message alone",
    promise: "a reaction names the message of the side that wrote it",
    file: "apps/channel-whatsapp-qr/src/outbound/change.ts",
    find: "fromMe: payload !== null",
    replace: "fromMe: true",
    test: "apps/channel-whatsapp-qr/src/outbound/react.test.ts",
    named: "its key is theirs",
  },
  {
    name: "a command that tells what the account keeps back",
    promise: "the account's privacy decides who learns what was read",
    file: "apps/channel-whatsapp-qr/src/platform/socket.ts",
    find: "fetchPrivacySettings(true)",
    replace: "fetchPrivacySettings()",
    test: "apps/channel-whatsapp-qr/src/outbound/react.test.ts",
    named: "keeps it back",
  },
];
