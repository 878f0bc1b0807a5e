// A ban that ends by itself: until when WhatsApp lets nobody in with a number.

export interface Ban {
  /** Milliseconds since 1970. */
  readonly until: number;
  /** Whether WhatsApp named the time; otherwise it is ours. */
  readonly isTold: boolean;
}

const minuteMs = 60_000;

/** When it ends, as a sentence. */
export function untilWhen({ until, isTold }: Ban): string {
  const minute = new Date(Math.ceil(until / minuteMs) * minuteMs).toISOString();
  const time = `${minute.slice(0, 10)} ${minute.slice(11, 16)} UTC`;
  return isTold
    ? `The ban ends at ${time}.`
    : `WhatsApp does not say when that is; the next try is at ${time}.`;
}
