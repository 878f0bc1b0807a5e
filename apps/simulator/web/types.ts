// The shapes the server sends; one definition, shared with it.
import type { PhoneChat, PhoneOwner } from "../src/phone.ts";
import type { LoggedDelivery } from "../src/webhook-log.ts";

export type { LoggedDelivery, PhoneChat, PhoneOwner };
export type { PhoneChange } from "../src/phone.ts";
export type {
  PhoneFile,
  PhoneFileKind,
  PhoneKind,
  PhoneMessage,
  PhonePlace,
} from "../src/phone-message.ts";
export type { SignatureVerdict } from "../src/signatures.ts";

/** Everything the page shows, as the server tells it. */
export interface PageState {
  owner: PhoneOwner;
  chats: PhoneChat[];
  deliveries: LoggedDelivery[];
}
