// The shapes the server sends; one definition, shared with it.
export type { PhoneChange, PhoneChat, PhoneMessage } from "../src/phone.ts";
export type { SignatureVerdict } from "../src/signatures.ts";
export type { LoggedDelivery } from "../src/webhook-log.ts";
