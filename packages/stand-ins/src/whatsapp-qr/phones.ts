// Who has WhatsApp: phones with their devices, and groups. All of it survives as JSON.
import { createHash } from "node:crypto";
import { createOwnDevice } from "./devices.ts";
import type { LinkedState, OwnDevice } from "./devices.ts";
import type { NewPhone, PhoneSettings } from "./contract.ts";
import { addressOf } from "./wire.ts";
import type { Address } from "./wire.ts";

/** Customer Zainab, as in the sandbox. */
export const ZAINAB: NewPhone = { number: "9647700000001", name: "زينب" };

/** A copy of a message as it arrives at a device of the stand-in; kept while the phone is switched off. */
export interface Arrival {
  sender: { number: string; device: number };
  messageId: string;
  /** The chat: number of the other phone, or the id of a group. */
  to: string;
  /** Which own device it is for. */
  own: number;
  type: string;
  body: Uint8Array;
}

export interface PhoneState {
  number: string;
  lid: string;
  name: string;
  settings: PhoneSettings;
  own: OwnDevice[];
  linked: LinkedState[];
  /** What its next linked client will be called. */
  nextDevice: number;
  held: Arrival[];
}

export interface GroupState {
  id: string;
  subject: string;
  /** Numbers; the first one owns it. */
  members: string[];
  createdAt: number;
}

export class Phones {
  readonly #phones = new Map<string, PhoneState>();
  readonly #byLid = new Map<string, PhoneState>();
  readonly #groups = new Map<string, GroupState>();

  constructor(stored: { phones: PhoneState[]; groups: GroupState[] }) {
    for (const phone of stored.phones) this.#put(phone);
    for (const group of stored.groups) this.#groups.set(group.id, group);
  }

  /** Adds a phone, or renames the one that is there. Throws when the number is none. */
  add({ number, name, lid = lidOf(number), devices = 1 }: NewPhone): PhoneState {
    if (!/^[1-9]\d{6,14}$/.test(number))
      throw new Error(`"${number}" is no number: give 7 to 15 digits with the country code.`);
    const known = this.#phones.get(number);
    if (known !== undefined) {
      known.name = name ?? known.name;
      return known;
    }
    const added: PhoneState = {
      number,
      lid,
      name: name ?? number,
      settings: {
        online: true,
        retries: true,
        readsAtOnce: false,
        hidesNumber: false,
        readReceipts: true,
      },
      own: Array.from({ length: devices }, (_, id) => createOwnDevice(id)),
      linked: [],
      nextDevice: devices,
      held: [],
    };
    this.#put(added);
    return added;
  }

  addGroup({ subject, members, createdAt }: Omit<GroupState, "id">): GroupState {
    const [owner] = members;
    if (owner === undefined) throw new Error("A group needs a member.");
    for (const member of members) this.phone(member);
    const group = {
      id: `${owner}-${createdAt}${this.#groups.size}@g.us`,
      subject,
      members,
      createdAt,
    };
    this.#groups.set(group.id, group);
    return group;
  }

  all(): PhoneState[] {
    return [...this.#phones.values()];
  }

  groups(): GroupState[] {
    return [...this.#groups.values()];
  }

  /** Throws when there is none of this number. */
  phone(number: string): PhoneState {
    const phone = this.#phones.get(number);
    if (phone === undefined) throw new Error(`There is no phone ${number}.`);
    return phone;
  }

  find(number: string): PhoneState | null {
    return this.#phones.get(number) ?? null;
  }

  group(id: string): GroupState | null {
    return this.#groups.get(id) ?? null;
  }

  /** Whose address it is, and which device; null when nobody has it. */
  at(jid: string | undefined): { phone: PhoneState; address: Address } | null {
    const address = addressOf(jid);
    if (address === null || address.server === "group") return null;
    const phone =
      address.server === "pn" ? this.find(address.user) : (this.#byLid.get(address.user) ?? null);
    return phone === null ? null : { phone, address };
  }

  #put(phone: PhoneState): void {
    this.#phones.set(phone.number, phone);
    this.#byLid.set(phone.lid, phone);
  }
}

/** The stand-in's own device of this id. Throws when the phone has none. */
export function ownDevice(phone: PhoneState, id: number): OwnDevice {
  const device = phone.own.find((own) => own.id === id);
  if (device === undefined)
    throw new Error(`Phone ${phone.number} has no device ${id} of its own.`);
  return device;
}

/** A linked client by its id, or null. */
export function linkedDevice(phone: PhoneState, id: number): LinkedState | null {
  return phone.linked.find((linked) => linked.id === id) ?? null;
}

/** Fifteen digits that say nothing of the number but are always the same for it. */
function lidOf(number: string): string {
  const digest = createHash("sha256").update(number).digest();
  return `1${String(digest.readBigUInt64BE() % 10n ** 14n).padStart(14, "0")}`;
}
