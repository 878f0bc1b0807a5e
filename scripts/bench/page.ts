// The page that `docs/reference/performance.md` is: a section for each scene, of which only those measured are written anew.
import { cpus } from "node:os";
import type { Line } from "./report.ts";

/** A scene, and how it is explained under its table. */
interface Section {
  readonly title: string;
  readonly about: string;
}

export const sections = {
  accepting: {
    title: "Accepting",
    about: `- **Echo**: a bare \`node:http\` server that parses a JSON body and answers.
- **Accepted**: \`send\` through one gateway, with everything that \`send\` owes: key, rate limit over all gateways, validation, idempotency, message, debit, ledger, queue and event in one durable commit before the 200. Who delivers is not running then: its work is in *delivered*.
- **Hot store**: the same load on one store, against a hundred stores.`,
  },
  delivering: {
    title: "Delivering",
    about: `- **Durable floor**: the echo, the house's own three commits in batches (accept, claim, outcome: the same statements on the same tables, in a database of its own), and one POST to the provider; all in one process, with nothing else that a house owes.
- **Leanest durable floor**: the echo with three commits in batches of one narrow row each, and the same POST.
- **Delivered**: the same \`send\`, until the provider has the message: gateway, channel app, inbox and webhooks run. Counted at the provider, from the first request to the last message.`,
  },
  receiving: {
    title: "Receiving",
    about: `- **Bare proxy**: a server that hands each body on to the sink and answers after it.
- **Inbound**: a provider's webhook, stored, acknowledged, put into its conversation, numbered, signed, delivered to the store's webhook. Counted at the sink.`,
  },
  memory: {
    title: "Memory",
    about: `- Proportional set size, idle, of \`npm start\`'s process (all apps, simulator, stand-ins), against a process that has loaded the same libraries and does nothing. PostgreSQL and NATS are processes of their own in both.`,
  },
  whatsapp: {
    title: "WhatsApp by QR",
    about: `- **Bare**: Baileys with the same patches in one process, its keys in memory, nothing kept and nothing committed, against the same stand-in of WhatsApp's server, which is a process of its own.
- **Idle sessions**: linked phones without chats, left alone for 30 s; memory after a full collection, less that of the same process without a session. Opened four at once, in both.
- **Sent**: \`send\` with pauses and caps off, until the customer's phone has decrypted the message; a ratchet step, a claim and an outcome are committed for each. Counted at the phones, from the first request to the last message.
- **Inbound**: a customer's phone writes; decrypted, committed together with the ratchet step, receipted, put into its conversation, delivered to the store's webhook. Counted at the sink; for the bare client at its event.
- **Processor a message**: of the process that holds the session, user and system.`,
  },
} as const satisfies Readonly<Record<string, Section>>;

export type Scene = keyof typeof sections;

/** In the order of the page. */
export const scenes = Object.keys(sections).filter(isScene);

export function isScene(name: string): name is Scene {
  return Object.hasOwn(sections, name);
}

const opening = `# Performance

Written by \`npm run bench -- --write\`; with \`--only\` and a scene, its section alone. Every figure is a ratio to a floor measured in the same run: the rounds of a figure and of its floor take turns, and the middle one is shown. Load, floors, apps, PostgreSQL and NATS share the machine's cores; 64 requests in flight; \`synchronous_commit\` on. The files of PostgreSQL's log are there already, as after a server's first hour.
`;

/** The page with these scenes measured anew; sections of others stay as they stand in it. */
export function page(
  before: string,
  measured: ReadonlyMap<Scene, readonly Line[]>,
  rounds: { count: number; seconds: number },
): string {
  const written = scenes.flatMap((scene) => {
    const lines = measured.get(scene);
    const section = lines === undefined ? sectionIn(before, scene) : write(scene, lines, rounds);
    return section === null ? [] : [section];
  });
  return [opening, ...written].join("\n");
}

/** What was measured, as a table for whoever watches. */
export function table(lines: readonly Line[]): string {
  const rows = lines.map(
    ({ what, value, ratio, floor, target }) =>
      `| ${what} | ${value} | ${ratio === null ? "" : ratio.toFixed(2)} | ${floor} | ${target} |\n`,
  );
  return `| what | figure | ratio | to | target |\n|---|---|---|---|---|\n${rows.join("")}`;
}

function write(
  scene: Scene,
  lines: readonly Line[],
  rounds: { count: number; seconds: number },
): string {
  const { title, about } = sections[scene];
  const machine = `${rounds.count} rounds of ${rounds.seconds} s; ${cpus().length} cores; Node ${process.versions.node}`;
  return `## ${title}\n\n\`npm run bench -- --only ${scene}\`: ${machine}.\n\n${table(lines)}\n${about}\n`;
}

function sectionIn(text: string, scene: Scene): string | null {
  const found = `\n${text}\n## `
    .split("\n## ")
    .find((part) => part.startsWith(`${sections[scene].title}\n`));
  return found === undefined ? null : `## ${found.trimEnd()}\n`;
}
