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
const noDigit = 255;
/** The value of a digit, by its character code. */
const valueOf = new Uint8Array(128).fill(noDigit);
for (const [value, letter] of letters.entries()) {
  valueOf[letter.charCodeAt(0)] = value;
  valueOf[letter.toLowerCase().charCodeAt(0)] = value;
}
/** The value of a hexadecimal digit, by its character code. */
const nibbleOf = new Uint8Array(128);
for (const [value, digit] of "0123456789abcdef".split("").entries()) {
  nibbleOf[digit.charCodeAt(0)] = value;
  nibbleOf[digit.toUpperCase().charCodeAt(0)] = value;
}
/** Where the 32 hexadecimal digits of a UUID stand. */
const places = Array.from({ length: 36 }, (_, place) => place).filter(
  (place) => ![8, 13, 18, 23].includes(place),
);
const hexBytes = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
const wireLength = 26;
const randomPool = new Uint8Array(4096);
let randomUsed = randomPool.length;
let lastMillisecond = 0;
let countInMillisecond = 0;
/** What ids of this millisecond begin with. */
let timePrefix = "";

/**
 * A new UUIDv7 as lower-case text. Ids made by one process sort in the order they were made:
 * the 12 bits after the time count within a millisecond, and a full count borrows from the next one.
 */
export function newId(now: number = Date.now()): string {
  if (now > lastMillisecond) beginMillisecond(now);
  else if (++countInMillisecond > 0xfff) beginMillisecond(lastMillisecond + 1);
  const version = hexBytes[0x70 | (countInMillisecond >>> 8)];
  const count = hexBytes[countInMillisecond & 0xff];
  const variant = hexBytes[0x80 | (randomByte() & 0x3f)];
  return `${timePrefix}${version}${count}-${variant}${randomHex(1)}-${randomHex(6)}`;
}

function beginMillisecond(millisecond: number): void {
  lastMillisecond = millisecond;
  countInMillisecond = 0;
  const time = millisecond.toString(16).padStart(12, "0");
  timePrefix = `${time.slice(0, 8)}-${time.slice(8)}-`;
}

/** The wire form of a table id: `toWireId("message", uuid)` → `msg_01J…`. */
export function toWireId(kind: IdKind, uuid: string): string {
  // 128 bits are two digits for the first eight, and four for each further twenty.
  let text = `${idPrefixes[kind]}_${pairs[bitsOf(uuid, 0, 2)]}`;
  for (let at = 2; at < 32; at += 5) {
    const bits = bitsOf(uuid, at, 5);
    text += `${pairs[bits >>> 10]}${pairs[bits & 1023]}`;
  }
  return text;
}

/** So many hexadecimal digits of a UUID as a number, from the one with this index. Every message has several ids: this is run often. */
function bitsOf(uuid: string, from: number, count: number): number {
  let bits = 0;
  for (let index = from; index < from + count; index += 1)
    bits = (bits << 4) | (nibbleOf[uuid.charCodeAt(places[index] ?? 0)] ?? 0);
  return bits;
}

/** The table id of a wire id, or `null` when it is not one of that kind. Lower case is accepted. */
export function fromWireId(kind: IdKind, text: string): string | null {
  const prefix = `${idPrefixes[kind]}_`;
  if (!text.startsWith(prefix) || text.length !== prefix.length + wireLength) return null;
  let hex = "";
  let bits = 0;
  for (let place = 0; place < wireLength; place += 1) {
    const digit = valueOf[text.charCodeAt(prefix.length + place)] ?? noDigit;
    if (digit === noDigit) return null;
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

function randomHex(bytes: number): string {
  let text = "";
  for (let count = 0; count < bytes; count += 1) text += hexBytes[randomByte()];
  return text;
}

function randomByte(): number {
  if (randomUsed === randomPool.length) {
    crypto.getRandomValues(randomPool);
    randomUsed = 0;
  }
  return randomPool[randomUsed++] ?? 0;
}
