// Ids: a UUIDv7 in tables, and on the wire a prefix with 26 Crockford base-32 characters.

/** The kinds of things that carry an id, by their prefix on the wire. */
export const idPrefixes = {
  store: "str",
  connection: "con",
  instance: "ins",
  contact: "cnt",
  conversation: "cnv",
  message: "msg",
  event: "evt",
  endpoint: "end",
  delivery: "dlv",
  media: "med",
  bot: "bot",
  aiAccount: "aia",
  user: "usr",
  request: "req",
} as const;

export type IdKind = keyof typeof idPrefixes;

const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const letters = alphabet.split("");
/** Two digits at once, by their ten bits. */
const pairs = letters.flatMap((left) => letters.map((right) => left + right));
const valueOf = new Map(letters.map((letter, digit) => [letter, digit]));
const hexBytes = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
const wireLength = 26;
const randomPool = new Uint8Array(4096);
let randomUsed = randomPool.length;
let lastMillisecond = 0;
let countInMillisecond = 0;

/**
 * A new UUIDv7 as lower-case text. Ids made by one process sort in the order they were made:
 * the 12 bits after the time count within a millisecond, and a full count borrows from the next one.
 */
export function newId(now: number = Date.now()): string {
  if (now > lastMillisecond) {
    lastMillisecond = now;
    countInMillisecond = 0;
  } else if (++countInMillisecond > 0xfff) {
    lastMillisecond += 1;
    countInMillisecond = 0;
  }
  const time = lastMillisecond.toString(16).padStart(12, "0");
  const count = countInMillisecond.toString(16).padStart(3, "0");
  const random = randomHex();
  const variant = ((Number.parseInt(random.slice(0, 1), 16) & 0x3) | 0x8).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${count}-${variant}${random.slice(1, 4)}-${random.slice(4, 16)}`;
}

/** The wire form of a table id: `toWireId("message", uuid)` → `msg_01J…`. */
export function toWireId(kind: IdKind, uuid: string): string {
  const hex = uuid.replaceAll("-", "");
  // 128 bits are two digits for the first eight, and four for each further twenty.
  let text = `${idPrefixes[kind]}_${pairs[Number.parseInt(hex.slice(0, 2), 16)]}`;
  for (let at = 2; at < 32; at += 5) {
    const bits = Number.parseInt(hex.slice(at, at + 5), 16);
    text += `${pairs[bits >>> 10]}${pairs[bits & 1023]}`;
  }
  return text;
}

/** The table id of a wire id, or `null` when it is not one of that kind. Lower case is accepted. */
export function fromWireId(kind: IdKind, text: string): string | null {
  const prefix = `${idPrefixes[kind]}_`;
  if (!text.startsWith(prefix) || text.length !== prefix.length + wireLength) return null;
  const digits = text.slice(prefix.length).toUpperCase().split("");
  let hex = "";
  let bits = 0;
  for (const [place, letter] of digits.entries()) {
    const digit = valueOf.get(letter);
    if (digit === undefined) return null;
    bits = (bits << 5) | digit;
    // The first two digits carry eight bits, each four further ones twenty.
    if (place === 1 && bits > 255) return null;
    if (place % 4 !== 1) continue;
    hex += bits.toString(16).padStart(place === 1 ? 2 : 5, "0");
    bits = 0;
  }
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** The moment a UUIDv7 was made, in milliseconds since 1970. */
export function timeOfId(uuid: string): number {
  return Number.parseInt(uuid.slice(0, 8) + uuid.slice(9, 13), 16);
}

function randomHex(): string {
  if (randomUsed + 8 > randomPool.length) {
    crypto.getRandomValues(randomPool);
    randomUsed = 0;
  }
  let text = "";
  for (let index = 0; index < 8; index++) text += hexBytes[randomPool[randomUsed + index] ?? 0];
  randomUsed += 8;
  return text;
}
