// Sessions that live in a process, as those of phones do: all processes start and end at once, some always run, and one leaves at a time. How long each may take to end, hardening.ts says.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { z } from "zod";

const folder = join(import.meta.dirname, "..");
const app = "channel-whatsapp-qr";
const read = (path: string) => readFileSync(join(folder, path), "utf8");
const objects = parseAllDocuments(read(`base/apps/${app}.yaml`)).map((document): unknown =>
  document.toJS(),
);

/** What stands in the `spec` of the app's object of a kind, read by its shape. */
function one<Spec>(kind: string, shape: z.ZodType<Spec>): Spec {
  const named = z.object({ kind: z.string(), metadata: z.object({ name: z.string() }) });
  const found = objects.filter((object) => named.parse(object).kind === kind);
  expect(found.map((object) => named.parse(object).metadata.name)).toEqual([app]);
  return shape.parse(z.object({ spec: z.unknown() }).parse(found[0]).spec);
}

describe("the processes of phones", () => {
  test("have names that stay, and start and end at the same time", () => {
    const set = one("StatefulSet", z.looseObject({ podManagementPolicy: z.string() }));
    expect(set.podManagementPolicy).toBe("Parallel");
    // The scaler says how many.
    expect(set).not.toHaveProperty("replicas");
  });

  test("are never none, whichever scaler has the word, and are not scaled by what waits to be sent", () => {
    const byProcessor = one("HorizontalPodAutoscaler", z.looseObject({ minReplicas: z.number() }));
    expect(byProcessor.minReplicas).toBeGreaterThanOrEqual(2);
    const { spec } = z
      .object({
        spec: z.object({
          minReplicaCount: z.number(),
          idleReplicaCount: z.undefined().optional(),
          triggers: z.array(
            z.object({ type: z.string(), metadata: z.record(z.string(), z.string()) }),
          ),
        }),
      })
      .parse(parse(read(`components/keda/${app}.yaml`)));
    expect(spec.minReplicaCount).toBeGreaterThanOrEqual(2);
    const queries = spec.triggers.flatMap(({ metadata }) => metadata["query"] ?? []);
    expect(queries).toHaveLength(1);
    expect(queries[0]).toContain("FROM connections");
    expect(queries[0]).not.toMatch(/queue|messages/);
  });

  test("leave a node one at a time", () => {
    const budget = one(
      "PodDisruptionBudget",
      z.object({
        maxUnavailable: z.number(),
        selector: z.object({ matchLabels: z.record(z.string(), z.string()) }),
      }),
    );
    expect(budget).toEqual({
      maxUnavailable: 1,
      selector: { matchLabels: { "thikaa.io/app": app } },
    });
  });
});
