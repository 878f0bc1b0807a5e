// What every pod must have, whatever it runs: no rights that it does not need, probes, limits, time to end, an image of one release.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Container, House, Workload } from "./render.ts";

const root = join(import.meta.dirname, "../../..");

/** Seconds that an app gives itself to end after SIGTERM, as packages/runtime has it. */
export function stopWithinSeconds(): number {
  const source = readFileSync(join(root, "packages/runtime/src/main.ts"), "utf8");
  const found = /stopWithinMs \?\? ([\d_]+)/.exec(source)?.[1];
  if (found === undefined)
    throw new Error("packages/runtime/src/main.ts no longer says how long an app may take to end.");
  return Number(found.replaceAll("_", "")) / 1_000;
}

/** Seconds until others may take over from an app that does not say goodbye, as packages/runtime has it. */
export function leaseSeconds(): number {
  const source = readFileSync(join(root, "packages/runtime/src/worker.ts"), "utf8");
  const found = /defaultTtlMs = ([\d_]+)/.exec(source)?.[1];
  if (found === undefined)
    throw new Error("packages/runtime/src/worker.ts no longer says how long a lease lasts.");
  return Number(found.replaceAll("_", "")) / 1_000;
}

/** Everything that a pod of this house lacks. */
export function hardeningFaults(house: House): string[] {
  return house.workloads.flatMap((workload) => [
    ...podFaults(workload),
    ...workload.spec.template.spec.containers.flatMap((container) =>
      containerFaults(container, workload.kind === "Job").map(
        (text) => `${workload.metadata.name}: ${text}`,
      ),
    ),
  ]);
}

function podFaults({ kind, metadata: { name }, spec }: Workload): string[] {
  const pod = spec.template.spec;
  const sleep = pod.containers.map(({ lifecycle }) => lifecycle?.preStop.sleep?.seconds ?? 0);
  const stays = Math.max(Math.max(...sleep) + stopWithinSeconds(), leaseSeconds());
  const lasting = kind !== "Job";
  return demands(name, [
    [
      holds(pod.securityContext, {
        runAsNonRoot: true,
        seccompProfile: { type: "RuntimeDefault" },
      }),
      "runs as anybody, or with every system call",
    ],
    [typeof field(pod.securityContext, "runAsUser") === "number", "names no user"],
    [pod.automountServiceAccountToken === false, "is given a word with the cluster"],
    [!lasting || pod.topologySpreadConstraints.length > 0, "is not spread over nodes"],
    [
      !lasting || (pod.terminationGracePeriodSeconds ?? 30) > stays,
      `has less than ${stays} s to end`,
    ],
  ]);
}

function containerFaults(container: Container, once: boolean): string[] {
  const { image, securityContext, resources, ports } = container;
  const names = new Set(ports.map(({ name }) => name));
  const probes = [container.startupProbe, container.livenessProbe, container.readinessProbe];
  const tag = /:([^:@/]+)$/.exec(image)?.[1] ?? (image.includes("@sha256:") ? "digest" : undefined);
  return demands(container.name, [
    [
      holds(securityContext, {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      }),
      "may more than it needs, or writes to its image",
    ],
    [tag !== undefined && tag !== "latest", `image ${image} is no release`],
    ["cpu" in resources.requests && "memory" in resources.requests, "asks for nothing"],
    ["memory" in resources.limits, "has no limit of memory"],
    [once || probes.every((probe) => probe?.httpGet !== undefined), "is not asked for its health"],
    [
      probes.every(
        (probe) => probe?.httpGet === undefined || names.has(String(probe.httpGet.port)),
      ),
      "is asked at a port it does not have",
    ],
  ]);
}

function demands(
  name: string,
  wanted: readonly (readonly [met: boolean, text: string])[],
): string[] {
  return wanted.filter(([met]) => !met).map(([, text]) => `${name} ${text}`);
}

/** Whether a value has all of the wanted fields with the wanted values. */
function holds(value: unknown, wanted: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(wanted).every(
    ([key, part]) => JSON.stringify(field(value, key)) === JSON.stringify(part),
  );
}

function field(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
}
