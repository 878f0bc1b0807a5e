// How a socket ended, read from whatever Baileys ends it with.

/** The end of a socket. */
export interface SocketEnd {
  /** Baileys' number for it: mostly the server's own (401, 440, 515…). */
  readonly code: number;
  /** Baileys' or the server's sentence; without numbers of people. */
  readonly says: string;
  /** The server removed the device and gave no number for it. */
  readonly deviceRemoved: boolean;
  /** Seconds since 1970 at which a ban ends, where the server told. */
  readonly expires: number | null;
}

/** An error of Baileys (a "Boom") carries a number in its output and the server's words in its data. */
export function readEnd(error: unknown): SocketEnd {
  const attributes = property(property(error, "data"), "attrs") ?? property(error, "data");
  const code = property(property(error, "output"), "statusCode");
  const expire = Number(property(attributes, "expire"));
  return {
    code: typeof code === "number" ? code : 500,
    says: sentenceOf(error),
    deviceRemoved: property(attributes, "type") === "device_removed",
    expires: Number.isFinite(expire) && expire > 0 ? expire : null,
  };
}

/** Baileys' sentence of an error, with everything in it that may be somebody's left out. */
export function sentenceOf(error: unknown): string {
  const message = error instanceof Error ? error.message : "";
  return message.replaceAll(/\d{4,}|\S+@\S+/g, "…").slice(0, 200);
}

function property(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null
    ? Object.entries(value).find(([key]) => key === name)?.[1]
    : undefined;
}
