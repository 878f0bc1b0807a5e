// The faults of a soak: one of these strikes each minute.
import { setTimeout as pause } from "node:timers/promises";
import type { Keeper } from "@thikaa/embedded";
import { pick } from "../faults/random.ts";
import { strike } from "../faults/scenes.ts";
import type { ServicesHouse } from "../faults/services-house.ts";

export interface Trouble {
  readonly name: string;
  readonly happen: (house: ServicesHouse, random: () => number) => Promise<void>;
}

const awayMs = 8_000;
const method = "sendMessage";

const killed = (role: "gateway" | "channel" | "inbox" | "webhooks" | "console"): Trouble => ({
  name: `kill -9 of ${role}`,
  happen: ({ services }, random) => strike(pick(random, services.of(role)), "SIGKILL"),
});

const serverKilled = (server: "postgres" | "nats"): Trouble => ({
  name: `kill -9 of ${server}`,
  happen: ({ services }) => strike(services.servers[server], "SIGKILL"),
});

const serverAway = (server: "postgres" | "nats"): Trouble => ({
  name: `${server} away`,
  async happen({ services }) {
    await services.servers[server]?.stop();
    await pause(awayMs);
    await services.servers[server]?.start();
  },
});

const asleep = (role: "channel" | "inbox" | "webhooks"): Trouble => ({
  name: `${role} asleep`,
  async happen({ services }, random) {
    const process: Keeper = pick(random, services.of(role));
    await strike(process, "SIGSTOP");
    // Now within the lease, now beyond it.
    await pause(random() < 0.5 ? awayMs : 2.5 * awayMs);
    await strike(process, "SIGCONT");
  },
});

const cutOff = (wire: "postgres" | "nats" | "provider"): Trouble => ({
  name: `channel cut off from ${wire}`,
  async happen({ services, wires }, random) {
    const process = pick(random, services.of("channel"));
    await wires.set(process, wire, { kind: "blackHole" });
    await pause(awayMs);
    await wires.set(process, wire, { kind: "pass" });
  },
});

export const troubles: readonly Trouble[] = [
  killed("gateway"),
  killed("channel"),
  killed("inbox"),
  killed("webhooks"),
  killed("console"),
  serverKilled("postgres"),
  serverKilled("nats"),
  serverAway("postgres"),
  serverAway("nats"),
  asleep("channel"),
  asleep("inbox"),
  asleep("webhooks"),
  cutOff("postgres"),
  cutOff("nats"),
  cutOff("provider"),
  {
    name: "channels 2 → 3 → 2",
    async happen({ services }) {
      await services.scale("channel", 3);
      await pause(awayMs);
      await services.scale("channel", 2);
    },
  },
  {
    name: "provider in trouble",
    happen({ standIn: { faults } }) {
      faults.add({ kind: "reset_after_accept", method, times: 5 });
      faults.add({ kind: "truncated", method, times: 5 });
      faults.add({ kind: "throttled", retryAfter: 2, method, times: 5 });
      faults.add({ kind: "server_error", status: 502, method, times: 20 });
      return Promise.resolve();
    },
  },
  {
    name: "webhooks refused",
    async happen({ sink }) {
      sink.answer({ status: 500 });
      await pause(awayMs);
      sink.answer({});
    },
  },
];
