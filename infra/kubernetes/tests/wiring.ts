// What must fit together in a rendered house: paths and Services, Services and pods, scalers and workloads, walls and doors.
import { podsOf, selects } from "./render.ts";
import type { House, Pod, Selector } from "./render.ts";

/** Which Service answers a path, as an Ingress decides it: the exact path first, then the longest prefix of whole words. */
export function serviceFor(house: House, url: string): string | undefined {
  const path = url.split("?")[0] ?? "";
  const rules = house.ingresses.flatMap(({ spec }) => spec.rules.flatMap(({ http }) => http.paths));
  const trimmed = (text: string) => text.replace(/\/$/, "");
  const fitting = rules.filter((rule) =>
    rule.pathType === "Exact"
      ? rule.path === path
      : path === trimmed(rule.path) || path.startsWith(`${trimmed(rule.path)}/`),
  );
  const exact = fitting.find(({ pathType }) => pathType === "Exact");
  const longest = fitting.toSorted((left, right) => right.path.length - left.path.length)[0];
  return (exact ?? longest)?.backend.service.name;
}

/** Paths whose Service or port is not there, and Services whose pods or ports are not there. */
export function doorFaults(house: House): string[] {
  const pods = podsOf(house);
  const paths = house.ingresses.flatMap(({ spec }) => spec.rules.flatMap(({ http }) => http.paths));
  const unanswered = paths.flatMap(({ path, backend: { service } }) => {
    const found = house.services.find(({ metadata }) => metadata.name === service.name);
    if (found === undefined) return [`${path}: there is no Service ${service.name}`];
    return found.spec.ports.some(({ name }) => name === service.port.name)
      ? []
      : [`${path}: Service ${service.name} has no port ${service.port.name}`];
  });
  const empty = house.services.flatMap(({ metadata: { name }, spec }) => {
    const chosen = pods.filter(({ labels }) =>
      selects({ matchLabels: spec.selector, matchExpressions: [] }, labels),
    );
    if (chosen.length === 0) return [`Service ${name} selects no pod`];
    return spec.ports
      .filter(({ targetPort }) => !chosen.every(({ ports }) => ports.includes(String(targetPort))))
      .map(({ targetPort }) => `Service ${name}: its pods have no port ${targetPort}`);
  });
  return [...unanswered, ...empty];
}

/** Workloads without a budget, budgets that fit none or more than one, and budgets that let nothing go. */
export function budgetFaults(house: House): string[] {
  const pods = podsOf(house);
  const lasting = house.workloads.filter(({ kind }) => kind !== "Job");
  const protects = (wanted: Selector) => pods.filter(({ labels }) => selects(wanted, labels));
  return [
    ...house.budgets.flatMap(({ metadata: { name }, spec }) => [
      ...(protects(spec.selector).length === 1
        ? []
        : [`PodDisruptionBudget ${name} fits ${protects(spec.selector).length} workloads`]),
      ...(spec.maxUnavailable > 0 ? [] : [`PodDisruptionBudget ${name} lets nothing go`]),
    ]),
    ...lasting
      .filter(({ metadata: { name } }) =>
        house.budgets.every(({ spec }) =>
          protects(spec.selector).every(({ owner }) => owner !== name),
        ),
      )
      .map(({ metadata: { name } }) => `${name} has no PodDisruptionBudget`),
  ];
}

/** One thing that changes how many processes a workload has. */
interface Scaler {
  readonly name: string;
  readonly target: { readonly kind: string; readonly name: string };
  readonly least: number;
  readonly most: number;
  readonly byProcessor: boolean;
}

/** Every scaler: by the processor, or by what an event source says. */
export function scalersOf(house: House): Scaler[] {
  return [
    ...house.autoscalers.map(({ metadata, spec }) => ({
      name: `HorizontalPodAutoscaler ${metadata.name}`,
      target: spec.scaleTargetRef,
      least: spec.minReplicas,
      most: spec.maxReplicas,
      byProcessor: true,
    })),
    ...house.scaledObjects.map(({ metadata, spec }) => ({
      name: `ScaledObject ${metadata.name}`,
      target: spec.scaleTargetRef,
      least: spec.minReplicaCount,
      most: spec.maxReplicaCount,
      byProcessor: spec.triggers.some(({ type }) => type === "cpu"),
    })),
  ];
}

/** Scalers that scale nothing, to nothing, or against another; workloads that fix their number beside a scaler. */
export function scalingFaults(house: House): string[] {
  const scalers = scalersOf(house);
  const credentials = house.authentications.map(({ metadata }) => metadata.name);
  return [
    ...scalers.flatMap(({ name, target, least, most, byProcessor }) => {
      const workload = house.workloads.find(
        ({ kind, metadata }) => kind === target.kind && metadata.name === target.name,
      );
      if (workload === undefined) return [`${name}: there is no ${target.kind} ${target.name}`];
      const asks = workload.spec.template.spec.containers.every(
        ({ resources }) => "cpu" in resources.requests,
      );
      return [
        ...(least > 0 ? [] : [`${name} goes down to none`]),
        ...(most >= least ? [] : [`${name}: its most is below its least`]),
        ...(workload.spec.replicas === undefined ? [] : [`${target.name} fixes its replicas`]),
        ...(asks || !byProcessor
          ? []
          : [`${name}: ${target.name} asks for no share of a processor`]),
      ];
    }),
    ...[...Map.groupBy(scalers, ({ target }) => target.name)]
      .filter(([, each]) => each.length > 1)
      .map(([name]) => `${name} is scaled by two`),
    ...house.scaledObjects.flatMap(({ metadata, spec }) =>
      spec.triggers
        .map(({ authenticationRef }) => authenticationRef?.name)
        .filter((wanted) => wanted !== undefined && !credentials.includes(wanted))
        .map((wanted) => `ScaledObject ${metadata.name}: no TriggerAuthentication ${wanted}`),
    ),
  ];
}

/** Walls around nobody, doors in walls that lead nowhere, and pods that can't reach what their settings name. */
export function wallFaults(house: House): string[] {
  const pods = podsOf(house);
  const denied = house.policies.some(
    ({ spec }) =>
      selectsAll(spec.podSelector) &&
      spec.policyTypes.includes("Ingress") &&
      spec.policyTypes.includes("Egress") &&
      spec.ingress.length === 0 &&
      spec.egress.length === 0,
  );
  return [
    ...(denied ? [] : ["no NetworkPolicy denies what is not allowed"]),
    ...house.policies.flatMap((policy) => policyFaults(policy, pods)),
    ...house.workloads.flatMap((workload) => reachFaults(house, workload)),
    ...house.services.flatMap((service) => entryFaults(house, service)),
  ];
}

function selectsAll({ matchLabels, matchExpressions }: Selector): boolean {
  return Object.keys(matchLabels).length === 0 && matchExpressions.length === 0;
}

function policyFaults(
  { metadata, spec }: House["policies"][number],
  pods: readonly Pod[],
): string[] {
  const name = `NetworkPolicy ${metadata.name}`;
  const inside = pods.filter(({ labels }) => selects(spec.podSelector, labels));
  const peers = [
    ...spec.ingress.flatMap(({ from }) => from),
    ...spec.egress.flatMap(({ to }) => to),
  ].flatMap(({ podSelector, namespaceSelector }) =>
    podSelector === undefined || namespaceSelector !== undefined ? [] : [podSelector],
  );
  return [
    ...(inside.length > 0 ? [] : [`${name} fits no pod`]),
    ...peers
      .filter((peer) => pods.every(({ labels }) => !selects(peer, labels)))
      .map((peer) => `${name}: no pod is ${JSON.stringify(peer.matchLabels)}`),
    ...spec.ingress
      .flatMap(({ ports }) => ports)
      .filter(({ port }) => inside.some(({ ports }) => !ports.includes(String(port))))
      .map(({ port }) => `${name}: its pods have no port ${port}`),
  ];
}

/** Which port each address in the settings asks for. */
const needs: Readonly<Record<string, number>> = {
  DATABASE_URL: 5432,
  NATS_URL: 4222,
  MEDIA_STORE_URL: 443,
};

function reachFaults(house: House, { metadata, spec }: House["workloads"][number]): string[] {
  const allowed = house.policies
    .filter(({ spec: policy }) => selects(policy.podSelector, spec.template.metadata.labels))
    .flatMap(({ spec: policy }) => policy.egress.flatMap(({ ports }) => ports))
    .map(({ port }) => port);
  const names = spec.template.spec.containers.flatMap(({ env }) => env.map(({ name }) => name));
  return Object.entries(needs)
    .filter(([name, port]) => names.includes(name) && !allowed.includes(port))
    .map(([name]) => `${metadata.name} is given ${name} and may not go there`);
}

/** Pods behind an Ingress must be open to its controller; behind any other Service, to somebody. */
function entryFaults(house: House, { metadata, spec }: House["services"][number]): string[] {
  const wanted = { matchLabels: spec.selector, matchExpressions: [] };
  const behind = podsOf(house).filter(({ labels }) => selects(wanted, labels));
  const isPublic = house.ingresses.some(({ spec: { rules } }) =>
    rules.some(({ http }) =>
      http.paths.some(({ backend }) => backend.service.name === metadata.name),
    ),
  );
  const doors = house.policies.filter(
    (policy) => !isPublic || policy.metadata.name === "from-ingress",
  );
  const entered = behind.every(({ labels }) =>
    spec.ports.every(({ targetPort }) =>
      doors
        .filter(({ spec: policy }) => selects(policy.podSelector, labels))
        .some(({ spec: policy }) =>
          policy.ingress.some(({ ports }) => ports.some(({ port }) => port === targetPort)),
        ),
    ),
  );
  return entered ? [] : [`no NetworkPolicy lets anybody in to Service ${metadata.name}`];
}
