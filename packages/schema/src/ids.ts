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
const digitOf = new Map(alphabet.split("").map((letter, digit) => [letter, BigInt(digit)]));
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
  let rest = BigInt(`0x${uuid.replaceAll("-", "")}`);
  let text = "";
  for (let index = 0; index < wireLength; index++) {
    text = alphabet.charAt(Number(rest & 31n)) + text;
    rest >>= 5n;
  }
  return `${idPrefixes[kind]}_${text}`;
}

/** The table id of a wire id, or `null` when it is not one of that kind. Lower case is accepted. */
export function fromWireId(kind: IdKind, text: string): string | null {
  const prefix = `${idPrefixes[kind]}_`;
  if (!text.startsWith(prefix) || text.length !== prefix.length + wireLength) return null;
  let value = 0n;
  for (const letter of text.slice(prefix.length).toUpperCase()) {
    const digit = digitOf.get(letter);
    if (digit === undefined) return null;
    value = (value << 5n) | digit;
  }
  if (value >> 128n) return null;
  const hex = value.toString(16).padStart(32, "0");
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
  for (let index = 0; index < 8; index++)
    text += (randomPool[randomUsed + index] ?? 0).toString(16).padStart(2, "0");
  randomUsed += 8;
  return text;
}
