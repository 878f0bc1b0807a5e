// Makes the parts of one stand-in and ties them together.
import type { Clock } from "../clock.ts";
import { Changes } from "./changes.ts";
import { Chats } from "./chats.ts";
import { Delivery } from "./delivery.ts";
import { Faults } from "./faults.ts";
import { Lanes } from "./lanes.ts";
import { MediaShelf } from "./media-shelf.ts";
import { Outbox } from "./outbox.ts";
import { PairingDesk } from "./pairing.ts";
import { Phones } from "./phones.ts";
import { WireRecord } from "./record.ts";
import { Counts, Seen } from "./seen.ts";
import { StateFile } from "./state-file.ts";
import { createTrust } from "./trust.ts";
import type { World } from "./world.ts";

export interface WorldOptions {
  clock: Clock;
  log: (line: string) => void;
  stateFile: string | undefined;
  /** Name and port under which clients reach it. */
  authority: () => string;
}

/** Makes it with what its state file keeps. `keep` writes that file. */
export function createWorld(options: WorldOptions): { world: World; keep: () => void } {
  const { clock, log } = options;
  const file = new StateFile(options.stateFile);
  const stored = file.load();
  const trust = stored?.trust ?? createTrust();
  const phones = new Phones(stored ?? { phones: [], groups: [] });
  file.keep(() => ({ trust, phones: phones.all(), groups: phones.groups() }));
  const record = new WireRecord(() => clock.now());
  const changed = (): void => {
    record.changed();
    file.touch();
  };
  const changes = new Changes();
  const faults: Faults = new Faults(() => delivery.flush());
  const delivery = new Delivery({ faults, clock, changed });
  const pairing = new PairingDesk({
    clock,
    faults,
    newId: () => delivery.newId(),
    until: (condition, withinMs) => record.until(condition, withinMs),
    changed: () => record.changed(),
    paired: (phone, linked, by) => {
      phone.linked.push(linked);
      const who = { phone: phone.number, device: linked.id };
      record.add(who, { kind: "paired", by });
      changes.emit({ type: "linked", ...who });
      changed();
    },
  });
  const world: World = {
    clock,
    trust,
    phones,
    chats: new Chats(changes, (group) => phones.group(group)?.members ?? []),
    outbox: new Outbox(),
    media: new MediaShelf(options.authority),
    delivery,
    pairing,
    seen: new Seen(),
    retries: new Counts(),
    lanes: new Lanes(changed),
    record,
    faults,
    changes,
    log,
    touch: changed,
  };
  return { world, keep: () => file.write() };
}
