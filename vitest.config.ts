// One vitest for the whole repository: every package's tests share one PostgreSQL and one NATS, started once.
import { defineConfig } from "vitest/config";
import { LongestFirst } from "./scripts/longest-first.ts";

export default defineConfig({
  ssr: { resolve: { conditions: ["source", "node", "default"] } },
  test: {
    include: [
      "packages/*/src/**/*.test.ts",
      "apps/*/src/**/*.test.ts",
      "apps/console/*/src/**/*.test.ts",
      "scripts/**/*.test.ts",
      "infra/**/*.test.ts",
    ],
    globalSetup: ["packages/testkit/src/global-setup.ts"],
    sequence: { sequencer: LongestFirst },
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // One more than the two cores that are counted on: tests wait more than they work.
    maxWorkers: 3,
    pool: "forks",
  },
});
