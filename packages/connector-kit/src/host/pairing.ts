// Pairs a connection when a person asked for it: runs the connector's facet, keeps what it shows for whoever pairs, and writes how it ended.
import { endPairing, loadPairing, showPairing } from "@thikaa/db";
import type { AskedPairing, OwnedConnection } from "@thikaa/db";
import { Trouble } from "@thikaa/runtime";
import { pairingReasonOf } from "@thikaa/schema";
import type { PairingReasonCode } from "@thikaa/schema";
import { places } from "@thikaa/vault";
import type { ConnectorContext } from "../context.ts";
import { AddressTaken, ConnectionFault, OwnershipLost } from "../faults.ts";
import type { PairingFacet, ShownCode } from "../pairing.ts";
import type { HostParts } from "./parts.ts";
import type { StateReport } from "./state-report.ts";
import { toFault } from "./to-fault.ts";
import { sleep } from "./waiting.ts";

export interface PairingOptions {
  readonly parts: HostParts;
  readonly row: OwnedConnection;
  readonly epoch: number;
  readonly report: StateReport;
  readonly context: ConnectorContext;
}

/** Resolves when a phone is linked, at once when nobody asked for it. Throws the `ConnectionFault` with which it ended, or after which it is tried again. */
export async function pairIfAsked(options: PairingOptions): Promise<void> {
  const { parts, row } = options;
  const { pairing } = parts.connector;
  if (pairing === undefined) return;
  const asked = await loadPairing(parts.database, row.id);
  if (asked !== null) await pair(options, { pairing, asked });
}

async function pair(
  options: PairingOptions,
  { pairing, asked }: { pairing: PairingFacet; asked: AskedPairing },
): Promise<void> {
  const { parts, report, context } = options;
  report.say("pairing", null);
  const over = AbortSignal.timeout(asked.leftMs);
  const signal = AbortSignal.any([context.signal, over]);
  const display = new Display(options, { pairingId: asked.id, signal });
  try {
    // A process that was killed may have left a code that nobody answers to any more.
    await display.clear();
    signal.throwIfAborted();
    await pairing.pair(
      { ...context, signal },
      { phone: asked.phone, show: (shown) => display.show(shown) },
    );
  } catch (error) {
    // It is still asked for: whoever opens the connection next goes on with it.
    if (context.signal.aborted || error instanceof OwnershipLost) throw error;
    const fault = over.aborted ? needsPerson("pairing_expired") : faultOf(error, parts.log);
    await (fault.state === "attention" ? end(options, asked, fault) : display.clear());
    throw fault;
  }
  report.say("connecting", null);
  await end(options, asked, null);
}

async function end(
  options: PairingOptions,
  { id: pairingId }: AskedPairing,
  fault: ConnectionFault | null,
): Promise<void> {
  const { parts } = options;
  await endPairing(
    parts.database,
    { ...fenceOf(options), pairingId },
    {
      state: fault === null ? "connecting" : "attention",
      reason: fault?.reason ?? null,
      linked: fault === null,
    },
  );
  ring(options, fault);
}

function faultOf(error: unknown, log: HostParts["log"]): ConnectionFault {
  return error instanceof AddressTaken
    ? needsPerson("paired_in_another_store")
    : toFault(error, log);
}

function needsPerson(code: PairingReasonCode): ConnectionFault {
  return new ConnectionFault({ state: "attention", reason: pairingReasonOf(code) });
}

function fenceOf({ parts, row, epoch }: PairingOptions) {
  return { connectionId: row.id, worker: parts.worker.id, epoch };
}

function ring({ parts, row }: PairingOptions, fault: ConnectionFault | null = null): void {
  parts.bus.ring(
    { ring: "connection", to: [row.id] },
    {
      store_id: row.store_id,
      connection_id: row.id,
      channel: row.channel,
      state: fault?.state ?? "pairing",
      reason: fault?.reason ?? null,
    },
  );
}

const retryMs = 500;

/** Writes what is shown, one after the other; of those that wait for the database only the last. */
class Display {
  readonly #options: PairingOptions;
  readonly #pairing: { readonly pairingId: string; readonly signal: AbortSignal };
  #latest: ShownCode | null = null;
  #written: Promise<void> = Promise.resolve();

  constructor(
    options: PairingOptions,
    pairing: { readonly pairingId: string; readonly signal: AbortSignal },
  ) {
    this.#options = options;
    this.#pairing = pairing;
  }

  show(shown: ShownCode): void {
    this.#latest = shown;
    this.#written = this.#written.then(() => this.#keepWriting(shown));
  }

  /** Shows nothing; rejects when the database is away. */
  async clear(): Promise<void> {
    this.#latest = null;
    await this.#written;
    await this.#write(null);
  }

  async #keepWriting(shown: ShownCode): Promise<void> {
    const { parts, row } = this.#options;
    const { signal } = this.#pairing;
    const trouble = new Trouble(parts.log, "a pairing code could not be shown; trying again");
    while (this.#latest === shown && !signal.aborted) {
      try {
        return await this.#write(shown);
      } catch (error) {
        trouble.failed(error, { connection: row.id });
        await sleep(retryMs, signal);
      }
    }
  }

  async #write(shown: ShownCode | null): Promise<void> {
    const { database } = this.#options.parts;
    const fence = { ...fenceOf(this.#options), pairingId: this.#pairing.pairingId };
    await showPairing(database, fence, shown === null ? null : this.#seal(shown));
    ring(this.#options);
  }

  #seal({ expiresAt: until, ...code }: ShownCode): { sealed: string; until: Date } {
    const { parts, row } = this.#options;
    return { sealed: parts.vault.seal(JSON.stringify(code), places.pairingShown(row.id)), until };
  }
}
