// The shapes the server sends; one definition, shared with it.
import type { PhoneChat } from "../src/chat-app.ts";
import type { PhoneOwner } from "../src/phone.ts";
import type { ShopPhoneState } from "../src/shop-phone.ts";
import type { LoggedDelivery } from "../src/webhook-log.ts";

export type { LoggedDelivery, PhoneChat, PhoneOwner, ShopPhoneState };
export type { Ability, PhoneChange } from "../src/chat-app.ts";
export type { ShownDevice } from "../src/shop-phone.ts";
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
  shop: ShopPhoneState;
  deliveries: LoggedDelivery[];
}
