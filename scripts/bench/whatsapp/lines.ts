// The lines that the page gets of WhatsApp by QR.
import { perSecond } from "../report.ts";
import type { Line } from "../report.ts";
import type { Measured } from "../rounds.ts";
import type { MemoryUse } from "./inspector.ts";

/** What one process holds and spends, with so many sessions idle. */
export interface Idle {
  readonly sessions: number;
  readonly memory: MemoryUse;
  /** The share of one core. */
  readonly cpu: number;
  /** Seconds until the last of those that were added was open. */
  readonly opening: number;
}

const megabyte = 1_048_576;

/** The last of the readings, for whoever watches. */
export function told(whose: string, readings: readonly Idle[]): string {
  const last = readings.at(-1);
  if (last === undefined) return "";
  const { sessions, memory, cpu, opening } = last;
  const of = (bytes: number) => `${(bytes / megabyte).toFixed(1)} MB`;
  const held = `resident ${of(memory.rss)}, heap ${of(memory.heapUsed)}, buffers ${of(memory.arrayBuffers)}`;
  return `${String(sessions).padStart(3)} idle, ${whose}: ${held}; opened in ${opening.toFixed(1)} s, ${(cpu * 100).toFixed(1)} % of a core`;
}

/** Readings of both, from no session up to the most. */
export function idleLines(ours: readonly Idle[], bare: readonly Idle[]): Line[] {
  const most = ours.at(-1)?.sessions ?? 0;
  const processLine = {
    what: "WhatsApp app without a session, resident",
    value: `${Math.round((ours[0]?.memory.rss ?? 0) / megabyte)} MB`,
    ratio: (ours[0]?.memory.rss ?? 0) / (bare[0]?.memory.rss ?? 1),
    floor: "bare process",
    target: "",
  };
  const each = ours.slice(1).flatMap(({ sessions }) =>
    (["rss", "heapUsed"] as const).flatMap((kind) => {
      const [own, floor] = [perSession(ours, sessions, kind), perSession(bare, sessions, kind)];
      const name = kind === "rss" ? "resident" : "heap";
      return compared(`One of ${sessions} idle sessions, ${name}`, [own, floor], megabytes);
    }),
  );
  return [
    processLine,
    ...each,
    ...compared(
      `Opening ${most} sessions`,
      [openingOf(ours), openingOf(bare)],
      (value) => `${value.toFixed(1)} s`,
    ),
    ...compared(
      `Processor, ${most} idle sessions`,
      [ours.at(-1)?.cpu ?? 0, bare.at(-1)?.cpu ?? 0],
      (value) => `${(value * 100).toFixed(1)} % of a core`,
    ),
  ];
}

/** A rate, and what a message costs the process that holds the session; both beside bare clients. */
export function rateLines(what: string, ours: Measured, bare: Measured): Line[] {
  const cost = (measured: Measured, part: string) => (measured.cpu?.get(part) ?? 0) / 1_000;
  return [
    ...compared(capital(what), [ours.perSecond, bare.perSecond], perSecond),
    ...compared(
      `Processor a message, ${what}`,
      [cost(ours, "WhatsApp app"), cost(bare, "bare clients")],
      (value) => `${value.toFixed(1)} ms`,
    ),
  ];
}

/** The floor's line, and ours with the ratio to it. */
function compared(
  what: string,
  [own, floor]: readonly [own: number, floor: number],
  write: (value: number) => string,
): Line[] {
  return [
    { what: `Bare: ${what}`, value: write(floor), ratio: null, floor: "", target: "" },
    { what, value: write(own), ratio: own / floor, floor: "bare", target: "" },
  ];
}

function perSession(readings: readonly Idle[], sessions: number, kind: "rss" | "heapUsed"): number {
  const at = (wanted: number) =>
    readings.find((reading) => reading.sessions === wanted)?.memory[kind] ?? 0;
  return (at(sessions) - at(0)) / sessions;
}

function openingOf(readings: readonly Idle[]): number {
  return readings.slice(1).reduce((sum, { opening }) => sum + opening, 0);
}

function megabytes(value: number): string {
  return `${(value / megabyte).toFixed(2)} MB`;
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
