// Ids on the wire: every UUID has one form, and nothing else is taken for one.
import { expect, test } from "vitest";
import { fromWireId, newId, timeOfId, toWireId } from "./ids.ts";

const digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** The wire form by its definition: the id as one number, in base 32. */
function byDefinition(uuid: string): string {
  let rest = BigInt(`0x${uuid.replaceAll("-", "")}`);
  let text = "";
  for (let place = 0; place < 26; place += 1) {
    text = digits.charAt(Number(rest % 32n)) + text;
    rest /= 32n;
  }
  return `msg_${text}`;
}

test("the wire form is the id in base 32, and leads back to it", () => {
  const ends = ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"];
  const random = Array.from({ length: 2_000 }, (_, n) => (n % 2 ? newId() : crypto.randomUUID()));
  for (const uuid of [...ends, ...random]) {
    const wire = toWireId("message", uuid);
    expect(wire).toBe(byDefinition(uuid));
    expect(fromWireId("message", wire)).toBe(uuid);
    expect(
      fromWireId(
        "message",
        wire.replace(/_.*/, (rest) => rest.toLowerCase()),
      ),
    ).toBe(uuid);
  }
});

test("what is not an id of the kind is null", () => {
  const wire = toWireId("message", newId());
  const wrong = [
    "",
    "msg_",
    wire.slice(0, -1),
    `${wire}0`,
    wire.replace("msg", "con"),
    wire.replace("msg", "MSG"),
    `msg_8${"0".repeat(25)}`,
    `msg_7${"0".repeat(24)}U`,
    `msg_7${"0".repeat(24)}ب`,
    `msg_7${"0".repeat(23)}😀`,
  ];
  for (const text of wrong) expect(fromWireId("message", text), text).toBeNull();
});

test("ids sort in the order they were made, and tell when", () => {
  const made = Array.from({ length: 10_000 }, () => newId());
  expect(made.toSorted()).toEqual(made);
  expect(Math.abs(timeOfId(made[0] ?? "") - Date.now())).toBeLessThan(60_000);
});
