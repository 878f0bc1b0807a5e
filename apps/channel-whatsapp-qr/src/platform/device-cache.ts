// Which devices people have, as WhatsApp told: kept across sockets, since asking again makes Baileys begin every session anew.
import { BoundedCache } from "./bounded-cache.ts";

/** The cache that Baileys takes as `userDevicesCache`. */
export class DeviceCache extends BoundedCache {
  constructor() {
    // WhatsApp tells of every change; the end is for a change that was missed.
    super({ lifetimeMs: 24 * 3_600_000, most: 5_000 });
  }
}
