// Renders a folder of manifests as the cluster would get it, and reads what the checks look at.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { z } from "zod";

const folder = join(import.meta.dirname, "..");

/** Whether manifests can be rendered here. */
export const canRender = spawnSync("kubectl", ["version", "--client"]).status === 0;

/** Everything that can be applied: the base, for PostgreSQL and NATS by URL, and every overlay. */
export const variants: readonly string[] = [
  "base",
  ...readdirSync(join(folder, "overlays"))
    .toSorted()
    .map((name) => `overlays/${name}`),
];

const texts = new Map<string, string>();

/** The objects that a folder gives, as parsed YAML. Throws with kustomize's own words. */
export function render(variant: string): unknown[] {
  const text = texts.get(variant) ?? renderText(variant);
  texts.set(variant, text);
  return parseAllDocuments(text).map((document) => z.unknown().parse(document.toJS()));
}

function renderText(variant: string): string {
  const { status, stdout, stderr } = spawnSync("kubectl", ["kustomize", join(folder, variant)], {
    encoding: "utf8",
    maxBuffer: 16 * 1024 * 1024,
  });
  if (status !== 0) throw new Error(`${variant} can't be rendered: ${stderr}`);
  return stdout;
}

const labels = z.record(z.string(), z.string()).default({});
const selector = z.object({
  matchLabels: labels,
  matchExpressions: z
    .array(z.object({ key: z.string(), operator: z.literal("Exists") }))
    .default([]),
});
const port = z.union([z.string(), z.number()]);
const probe = z.object({ httpGet: z.object({ path: z.string(), port }).optional() }).optional();
const keyRef = z.object({ name: z.string(), key: z.string() });

const containerSchema = z.object({
  name: z.string(),
  image: z.string(),
  args: z.array(z.string()).default([]),
  ports: z.array(z.object({ name: z.string(), containerPort: z.number() })).default([]),
  env: z
    .array(
      z.object({
        name: z.string(),
        value: z.string().optional(),
        valueFrom: z.object({ secretKeyRef: keyRef.optional() }).optional(),
      }),
    )
    .default([]),
  envFrom: z.array(z.object({ configMapRef: z.object({ name: z.string() }) })).default([]),
  securityContext: z.unknown().optional(),
  resources: z
    .object({
      requests: z.record(z.string(), z.string()).default({}),
      limits: z.record(z.string(), z.string()).default({}),
    })
    .default({ requests: {}, limits: {} }),
  startupProbe: probe,
  livenessProbe: probe,
  readinessProbe: probe,
  lifecycle: z
    .object({ preStop: z.object({ sleep: z.object({ seconds: z.number() }).optional() }) })
    .optional(),
});

const podSchema = z.object({
  metadata: z.object({ labels }),
  spec: z.object({
    automountServiceAccountToken: z.boolean().optional(),
    terminationGracePeriodSeconds: z.number().optional(),
    securityContext: z.unknown().optional(),
    topologySpreadConstraints: z.array(z.unknown()).default([]),
    containers: z.array(containerSchema),
  }),
});

const objectSchema = z.object({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.object({ name: z.string(), namespace: z.string().optional() }),
  data: z.record(z.string(), z.string()).default({}),
  spec: z.unknown().optional(),
});

const workloadSpec = z.object({
  replicas: z.number().optional(),
  selector: selector.optional(),
  template: podSchema,
});
const serviceSpec = z.object({
  selector: labels,
  ports: z.array(z.object({ name: z.string(), port: z.number(), targetPort: port })),
});
const ingressSpec = z.object({
  rules: z.array(
    z.object({
      host: z.string(),
      http: z.object({
        paths: z.array(
          z.object({
            path: z.string(),
            pathType: z.enum(["Exact", "Prefix"]),
            backend: z.object({
              service: z.object({ name: z.string(), port: z.object({ name: z.string() }) }),
            }),
          }),
        ),
      }),
    }),
  ),
});
const budgetSpec = z.object({ maxUnavailable: z.number(), selector });
const targetRef = z.object({ kind: z.string(), name: z.string() });
const autoscalerSpec = z.object({
  scaleTargetRef: targetRef,
  minReplicas: z.number(),
  maxReplicas: z.number(),
});
const scaledObjectSpec = z.object({
  scaleTargetRef: targetRef,
  minReplicaCount: z.number(),
  maxReplicaCount: z.number(),
  triggers: z.array(
    z.object({
      type: z.string(),
      metadata: z.record(z.string(), z.string()),
      authenticationRef: z.object({ name: z.string() }).optional(),
    }),
  ),
});
const authenticationSpec = z.object({
  secretTargetRef: z.array(keyRef.extend({ parameter: z.string() })),
});
const peer = z.object({ podSelector: selector.optional(), namespaceSelector: selector.optional() });
const policyPorts = z.array(z.object({ port })).default([]);
const policySpec = z.object({
  podSelector: selector,
  policyTypes: z.array(z.string()),
  ingress: z.array(z.object({ from: z.array(peer).default([]), ports: policyPorts })).default([]),
  egress: z.array(z.object({ to: z.array(peer).default([]), ports: policyPorts })).default([]),
});

const ofKind = <Spec extends z.ZodType>(objects: readonly Resource[], kind: string, spec: Spec) =>
  objects
    .filter((object) => object.kind === kind)
    .map((object) => ({ ...object, spec: spec.parse(object.spec) }));

type Resource = z.infer<typeof objectSchema>;
export type Selector = z.infer<typeof selector>;
export type Container = z.infer<typeof containerSchema>;
export type House = ReturnType<typeof readHouse>;
export type Workload = House["workloads"][number];

/** A rendered folder by kind. Throws when an object lacks what every such object here has. */
export function readHouse(rendered: readonly unknown[]) {
  const objects = rendered.map((object) => objectSchema.parse(object));
  return {
    objects,
    configMaps: objects.filter(({ kind }) => kind === "ConfigMap"),
    clusters: objects.filter(({ kind }) => kind === "Cluster"),
    workloads: ["Deployment", "StatefulSet", "Job"].flatMap((kind) =>
      ofKind(objects, kind, workloadSpec),
    ),
    services: ofKind(objects, "Service", serviceSpec),
    ingresses: ofKind(objects, "Ingress", ingressSpec),
    budgets: ofKind(objects, "PodDisruptionBudget", budgetSpec),
    autoscalers: ofKind(objects, "HorizontalPodAutoscaler", autoscalerSpec),
    scaledObjects: ofKind(objects, "ScaledObject", scaledObjectSpec),
    authentications: ofKind(objects, "TriggerAuthentication", authenticationSpec),
    policies: ofKind(objects, "NetworkPolicy", policySpec),
  };
}

/** Whether a selector takes pods with these labels. */
export function selects(wanted: Selector, given: Readonly<Record<string, string>>): boolean {
  return (
    Object.entries(wanted.matchLabels).every(([key, value]) => given[key] === value) &&
    wanted.matchExpressions.every(({ key }) => key in given)
  );
}

/** A pod that may be there: its labels and the ports it names. */
export interface Pod {
  readonly owner: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly ports: readonly string[];
}

/** Every pod that the folder's workloads make; an operator's pods bear its own labels. */
export function podsOf(house: House): Pod[] {
  const own = house.workloads.map((workload) => ({
    owner: workload.metadata.name,
    labels: workload.spec.template.metadata.labels,
    ports: workload.spec.template.spec.containers.flatMap((container) =>
      container.ports.flatMap(({ name, containerPort }) => [name, String(containerPort)]),
    ),
  }));
  const operated = house.clusters.flatMap(({ metadata: { name } }): Pod[] => [
    { owner: name, labels: { "cnpg.io/cluster": name }, ports: ["5432", "8000", "9187"] },
    { owner: `${name}-jobs`, labels: { "cnpg.io/jobRole": "initdb" }, ports: [] },
  ]);
  return [...own, ...operated];
}
