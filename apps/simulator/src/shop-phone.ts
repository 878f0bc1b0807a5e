// The shop's phone: which devices its WhatsApp is linked with, linking one, and unlinking it.
import type { WhatsAppWebStandIn } from "@thikaa/stand-ins";
import type { z } from "zod";
import type { shopShape } from "./deeds.ts";
import { SHOP } from "./people.ts";

/** A device in the list. */
export interface ShownDevice {
  device: number;
  /** As it called itself: `Mac OS, CHROME`. */
  platform: string;
  connected: boolean;
}

/** The phone, as it stands. */
export interface ShopPhoneState {
  number: string;
  name: string;
  devices: ShownDevice[];
}

export type ShopDeed = z.infer<typeof shopShape>;

export interface ShopPhone {
  state(): ShopPhoneState;
  /** Rejects in plain words: the code is used up, no such device. */
  act(deed: ShopDeed): Promise<void>;
  /** Calls the listener with the new state at each change from now on; the returned function ends it. */
  listen(listener: (state: ShopPhoneState) => void): () => void;
}

export function createShopPhone(whatsapp: WhatsAppWebStandIn): ShopPhone {
  const { number: phone } = SHOP;
  const state = (): ShopPhoneState => {
    const { number, name, linked } = whatsapp.phone(phone);
    const devices = linked.map(({ device, platform, connected }) => ({
      device,
      platform,
      connected,
    }));
    return { number, name, devices };
  };
  return {
    state,
    act: async (deed) => {
      if (deed.kind === "scan") await whatsapp.scan({ phone, qr: deed.qr });
      else if (deed.kind === "code") await whatsapp.enterCode({ phone, code: deed.code });
      else whatsapp.unlink({ phone, device: deed.device });
    },
    listen: (listener) =>
      whatsapp.onChange(({ type, phone: whose }) => {
        if (whose === phone && (type.endsWith("linked") || type.endsWith("connected")))
          listener(state());
      }),
  };
}
