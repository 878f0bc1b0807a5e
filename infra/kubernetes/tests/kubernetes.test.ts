// Every overlay: known to the cluster, wired together, walled, hardened, and given the settings that its apps ask for.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { hardeningFaults } from "./hardening.ts";
import { canRender, readHouse, render, variants } from "./render.ts";
import { schemaFaults } from "./schemas.ts";
import { readers, sampleSecrets, settingFaults, settingsOf } from "./settings.ts";
import {
  budgetFaults,
  doorFaults,
  scalersOf,
  scalingFaults,
  serviceFor,
  wallFaults,
} from "./wiring.ts";

const root = join(import.meta.dirname, "../../..");
const read = (path: string) => readFileSync(join(root, path), "utf8");
const channelApps = readdirSync(join(root, "apps")).filter((name) => name.startsWith("channel-"));

/** The base, with one thing in it changed: each check must see what it is there for. */
function broken(change: (text: string) => string, variant = "base") {
  const text = JSON.stringify(render(variant));
  const changed = change(text);
  expect(changed, "the change found nothing to change").not.toBe(text);
  return readHouse(JSON.parse(changed) as unknown[]);
}

describe.runIf(canRender).each(variants)("%s", (variant) => {
  const objects = render(variant);
  const house = readHouse(objects);

  test("is made of objects that the cluster takes, without unknown fields", async () => {
    const faults = await Promise.all(objects.map((object) => schemaFaults(object)));
    expect(faults.flat()).toEqual([]);
  });

  test("leads every path to the app that answers it", () => {
    const answers = {
      "/": "console",
      "/console": "console",
      "/console/stores": "console",
      "/api/admin/v1/stores": "console",
      "/hooks/tg": "channel-telegram",
      "/hooks/tg/con_1": "channel-telegram",
      "/docs": "gateway",
      "/docs/reference.js": "gateway",
      "/openapi.json": "gateway",
      "/basra/api/messaging": "gateway",
      "/basra/api/messaging/?action=send": "gateway",
    };
    expect(
      Object.fromEntries(Object.keys(answers).map((url) => [url, serviceFor(house, url)])),
    ).toEqual(answers);
  });

  test("has a Service behind each path and a pod behind each Service", () => {
    expect(doorFaults(house)).toEqual([]);
  });

  test("lets a node be emptied without ending an app", () => {
    expect(budgetFaults(house)).toEqual([]);
  });

  test("scales workloads that are there, each by one scaler, none to nothing", () => {
    expect(scalingFaults(house)).toEqual([]);
  });

  test("has one workload and one scaler for each channel app", () => {
    for (const app of channelApps) {
      expect(house.workloads.filter(({ metadata }) => metadata.name === app)).toHaveLength(1);
      expect(scalersOf(house).filter(({ target }) => target.name === app)).toHaveLength(1);
    }
  });

  test("denies what it does not allow, and allows what its apps need", () => {
    expect(wallFaults(house)).toEqual([]);
  });

  test("lets only channel apps and webhooks reach the internet", () => {
    const reaching = house.workloads
      .filter(({ spec }) => "thikaa.io/reaches-internet" in spec.template.metadata.labels)
      .map(({ metadata }) => metadata.name);
    expect(reaching.toSorted()).toEqual([...channelApps, "webhooks"].toSorted());
  });

  test("runs nothing with more rights than it needs, without probes, limits or a release", () => {
    expect(hardeningFaults(house)).toEqual([]);
  });

  test("gives each app the settings it asks for, and no others", () => {
    const given = settingsOf(house);
    expect(given.map(({ app }) => app).toSorted()).toEqual(Object.keys(readers).toSorted());
    expect(given.flatMap(({ app, given: settings }) => settingFaults(app, settings))).toEqual([]);
  });

  test("names only keys of Secrets that somebody makes, and holds no secret itself", () => {
    const guide = read("docs/guides/deploy.md");
    const made = [...guide.matchAll(/--from-literal=(\w+)=/g)].map(
      ([, key]) => `thikaa-secrets/${key}`,
    );
    const operated = house.clusters.map(({ metadata }) => `${metadata.name}-app/uri`);
    const wanted = [
      ...house.workloads.flatMap(({ spec }) =>
        spec.template.spec.containers.flatMap(({ env }) =>
          env.flatMap(({ valueFrom }) => valueFrom?.secretKeyRef ?? []),
        ),
      ),
      ...house.authentications.flatMap(({ spec }) => spec.secretTargetRef),
    ].map(({ name, key }) => `${name}/${key}`);
    expect(wanted.filter((each) => ![...made, ...operated].includes(each))).toEqual([]);
    expect(house.objects.filter(({ kind }) => kind === "Secret")).toEqual([]);
    const settings = house.configMaps.flatMap(({ data }) => Object.keys(data));
    expect(settings.filter((name) => name in sampleSecrets)).toEqual([]);
  });

  test("keeps everything in one namespace", () => {
    const places = new Set(
      house.objects.map(({ metadata, kind }) =>
        kind === "Namespace" ? metadata.name : metadata.namespace,
      ),
    );
    expect([...places]).toHaveLength(1);
  });
});

describe.runIf(canRender)("production", () => {
  const house = readHouse(render("overlays/production"));

  test("scales each channel app by what waits for it", () => {
    for (const app of channelApps) {
      const scaled = house.scaledObjects.find(({ spec }) => spec.scaleTargetRef.name === app);
      expect(scaled?.spec.triggers.map(({ type }) => type)).toContain("postgresql");
    }
  });

  test("is in production, reached by https, with its own certificate", () => {
    const settings = house.configMaps.find(({ data }) => "THIKAA_ENV" in data)?.data;
    expect(settings).toMatchObject({ THIKAA_ENV: "production" });
    expect(settings?.["PUBLIC_URL"]).toMatch(/^https:/);
    expect(JSON.stringify(house.ingresses)).toContain(new URL(settings?.["PUBLIC_URL"] ?? "").host);
  });

  test("asks for NATS at the address that the guide writes into its Secret", () => {
    expect(read("docs/guides/deploy.md")).toContain("@nats:4222");
    expect(
      house.services
        .find(({ metadata }) => metadata.name === "nats")
        ?.spec.ports.map(({ port }) => port),
    ).toEqual([4222]);
  });
});

test.runIf(canRender)("every prefix that the one-process house mounts has a path here", () => {
  const mounts = [...read("apps/standalone/src/start.ts").matchAll(/prefix: "([^"]+)"/g)].flatMap(
    ([, prefix]) => prefix ?? [],
  );
  expect(mounts.length).toBeGreaterThan(3);
  const paths = readHouse(render("base")).ingresses.flatMap(({ spec }) =>
    spec.rules.flatMap(({ http }) => http.paths.map(({ path }) => path)),
  );
  // The simulator is refused in production.
  expect(mounts.filter((prefix) => prefix !== "/simulator" && !paths.includes(prefix))).toEqual([]);
});

test.runIf(canRender)("every app that is a service has a workload", () => {
  const apps = readdirSync(join(root, "apps")).filter(
    (name) => !["cli", "simulator", "standalone"].includes(name),
  );
  const names = readHouse(render("base")).workloads.map(({ metadata }) => metadata.name);
  expect(apps.filter((app) => !names.includes(app))).toEqual([]);
});

describe("an object that the cluster would refuse or misread is seen", () => {
  const deployment = (container: object, extra: object = {}) => ({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "a" },
    spec: {
      selector: { matchLabels: { a: "b" } },
      template: { spec: { containers: [{ name: "a", ...container }] } },
    },
    ...extra,
  });

  test("a right one passes, its maps with any key", async () => {
    expect(
      await schemaFaults(deployment({ resources: { requests: { cpu: "1", "any/thing": "1" } } })),
    ).toEqual([]);
  });

  test.each([
    [
      "a field that nobody knows, deep inside",
      deployment({ readynessProbe: {} }),
      "readynessProbe",
    ],
    ["a field that nobody knows, at the top", deployment({}, { specs: {} }), "specs"],
    ["a wrong type", deployment({ ports: [{ containerPort: "3000" }] }), "containerPort"],
    [
      "a missing field",
      {
        apiVersion: "policy/v1",
        kind: "PodDisruptionBudget",
        metadata: { name: "a" },
        spec: { selector: {}, minAvailabel: 1 },
      },
      "minAvailabel",
    ],
    [
      "a scaler's unknown field",
      {
        apiVersion: "keda.sh/v1alpha1",
        kind: "ScaledObject",
        metadata: { name: "a" },
        spec: { scaleTargetRef: { name: "a" }, triggers: [], minReplicas: 1 },
      },
      "minReplicas",
    ],
    [
      "a database's unknown field",
      {
        apiVersion: "postgresql.cnpg.io/v1",
        kind: "Cluster",
        metadata: { name: "a" },
        spec: { replicas: 3 },
      },
      "replicas",
    ],
  ])("%s", async (_what, object, named) => {
    expect((await schemaFaults(object)).join("\n")).toContain(named);
  });
});

describe.runIf(canRender)("each check sees what it is there for", () => {
  test("a path without a Service, a Service without a pod, a port that is not there", () => {
    expect(
      doorFaults(
        broken((text) => text.replace('"service":{"name":"gateway"', '"service":{"name":"gone"')),
      ),
    ).toEqual(["/docs: there is no Service gone"]);
    expect(
      doorFaults(
        broken((text) =>
          text.replace(
            '"selector":{"thikaa.io/app":"console"}',
            '"selector":{"thikaa.io/app":"gone"}',
          ),
        ),
      ),
    ).toEqual(["Service console selects no pod"]);
    expect(
      doorFaults(
        broken((text) =>
          text.replaceAll(
            '"containerPort":3000,"name":"http"',
            '"containerPort":3000,"name":"web"',
          ),
        ),
      ),
    ).toHaveLength(3);
    expect(
      serviceFor(
        broken((text) => text.replace('"path":"/hooks/tg"', '"path":"/hook/tg"')),
        "/hooks/tg",
      ),
    ).toBe("gateway");
  });

  test("a budget for nobody, one that lets nothing go, a workload without one", () => {
    const budget = '"maxUnavailable":1,"selector":{"matchLabels":{"thikaa.io/app":"inbox"}}';
    expect(
      budgetFaults(broken((text) => text.replace(budget, budget.replace("inbox", "gone")))),
    ).toEqual(["PodDisruptionBudget inbox fits 0 workloads", "inbox has no PodDisruptionBudget"]);
    expect(
      budgetFaults(broken((text) => text.replace(budget, budget.replace(":1", ":0")))),
    ).toEqual(["PodDisruptionBudget inbox lets nothing go"]);
  });

  test("a scaler of nothing, to nothing, without a measure, and two of one", () => {
    const target = '"scaleTargetRef":{"apiVersion":"apps/v1","kind":"Deployment","name":"inbox"}';
    expect(
      scalingFaults(broken((text) => text.replace(target, target.replace("inbox", "gone")))),
    ).toEqual(["HorizontalPodAutoscaler inbox: there is no Deployment gone"]);
    expect(
      scalingFaults(broken((text) => text.replace(target, target.replace("inbox", "gateway")))),
    ).toEqual(["gateway is scaled by two"]);
    expect(
      scalingFaults(broken((text) => text.replaceAll('"minReplicas":2', '"minReplicas":0'))),
    ).toHaveLength(5);
    expect(scalingFaults(broken((text) => text.replaceAll('"cpu":"200m",', "")))).toHaveLength(3);
    expect(
      scalingFaults(broken((text) => text.replaceAll('"revisionHistoryLimit":5', '"replicas":3'))),
    ).toContain("gateway fixes its replicas");
    expect(
      scalingFaults(
        broken(
          (text) =>
            text.replace(
              '"authenticationRef":{"name":"database"}',
              '"authenticationRef":{"name":"gone"}',
            ),
          "overlays/production",
        ),
      ),
    ).toEqual(["ScaledObject channel-telegram: no TriggerAuthentication gone"]);
  });

  test("an open house, a wall around nobody, a door to nobody, an app that is locked in or out", () => {
    expect(
      wallFaults(
        broken((text) =>
          text.replace('"policyTypes":["Ingress","Egress"]', '"policyTypes":["Ingress"]'),
        ),
      ),
    ).toEqual(["no NetworkPolicy denies what is not allowed"]);
    expect(wallFaults(broken((text) => text.replace('"thikaa.io/is-public":"true",', "")))).toEqual(
      ["no NetworkPolicy lets anybody in to Service channel-telegram"],
    );
    expect(wallFaults(broken((text) => text.replace('"port":5432', '"port":5433')))).toHaveLength(
      7,
    );
    expect(
      wallFaults(
        broken((text) =>
          text.replace(
            '"podSelector":{"matchLabels":{"thikaa.io/is-public":"true"}}',
            '"podSelector":{"matchLabels":{"gone":"true"}}',
          ),
        ),
      ),
    ).toContain("NetworkPolicy from-ingress fits no pod");
    expect(
      wallFaults(
        broken(
          (text) =>
            text.replace(
              '"podSelector":{"matchLabels":{"thikaa.io/reaches-nats":"true"}}}]',
              '"podSelector":{"matchLabels":{"gone":"true"}}}]',
            ),
          "overlays/dev",
        ),
      ),
    ).toEqual(['NetworkPolicy nats: no pod is {"gone":"true"}']);
  });

  test.each([
    ['"runAsNonRoot":true', '"runAsNonRoot":false'],
    ['"type":"RuntimeDefault"', '"type":"Unconfined"'],
    ['"runAsUser":1000,', ""],
    ['"automountServiceAccountToken":false', '"automountServiceAccountToken":true'],
    ['"readOnlyRootFilesystem":true', '"readOnlyRootFilesystem":false'],
    ['"allowPrivilegeEscalation":false', '"allowPrivilegeEscalation":true'],
    ['"drop":["ALL"]', '"drop":["NET_RAW"]'],
    [":0.1.0", ":latest"],
    [":0.1.0", ""],
    ['"readinessProbe"', '"readynessProbe"'],
    ['"path":"/healthz","port":"http"', '"path":"/healthz","port":"web"'],
    ['"terminationGracePeriodSeconds":30', '"terminationGracePeriodSeconds":14'],
    ['"terminationGracePeriodSeconds":30', '"terminationGracePeriodSeconds":15'],
    ['"topologySpreadConstraints"', '"spread"'],
    ['"limits":{"memory":"768Mi"}', '"limits":{}'],
    ['"requests":{"cpu":"250m","memory":"256Mi"}', '"requests":{}'],
  ])("a pod with %s turned into %s", (from, to) => {
    expect(hardeningFaults(broken((text) => text.replace(from, to)))).toHaveLength(1);
  });

  test("a setting that is missing, wrong, or unknown to its app", () => {
    const faults = (change: (text: string) => string) =>
      settingsOf(broken(change)).flatMap(({ app, given }) => settingFaults(app, given));
    expect(
      faults((text) =>
        text.replace('"name":"THIKAA_ADMIN_TOKEN",', '"name":"ADMIN_TOKEN",'),
      ).join(),
    ).toMatch(/^console: The settings are not right:\n {2}- THIKAA_ADMIN_TOKEN: is not set/);
    expect(faults((text) => text.replace('"LOG_LEVEL":"info"', '"LOG_LEVEL":"loud"'))).toHaveLength(
      6,
    );
    expect(
      faults((text) =>
        text.replace('"LOG_LEVEL":"info"', '"LOG_LEVEL":"info","LOGLEVEL":"info"'),
      ).join(),
    ).toContain("gateway is given LOGLEVEL, which it does not know");
    const address = { PUBLIC_URL: "https://messaging.example.com" };
    expect(settingFaults("inbox", { ...sampleSecrets, ...address, PORT: "3000" })).toEqual([
      "inbox is given MEDIA_STORE_URL, which it does not know",
      "inbox is given THIKAA_ADMIN_TOKEN, which it does not know",
    ]);
  });
});
