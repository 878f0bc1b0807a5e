// The Compose file: every app that the cluster runs, with the same settings, behind the same paths.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { readers, sampleSecrets, settingFaults } from "./settings.ts";

const root = join(import.meta.dirname, "../../..");
const read = (path: string) => readFileSync(join(root, path), "utf8");

const serviceSchema = z.object({
  image: z.string(),
  build: z.object({ dockerfile: z.string(), args: z.object({ APP: z.string() }) }).optional(),
  environment: z.record(z.string(), z.string()).default({}),
  networks: z.array(z.string()),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
  healthcheck: z.object({ disable: z.boolean().optional() }).optional(),
  read_only: z.boolean().optional(),
  cap_drop: z.array(z.string()).default([]),
});
const { services } = z
  .object({ services: z.record(z.string(), serviceSchema) })
  .parse(parse(read("infra/compose/compose.yaml"), { merge: true }));
const apps = Object.entries(services).filter(([, { image }]) => image.startsWith("thikaa/"));

/** What Compose puts in the place of `${NAME:?…}`, with the values of an .env. */
const filled = (text: string) =>
  text.replaceAll(
    /\$\{(\w+)(?::[?-]([^}]*))?\}/g,
    (_all, name: string, rest: string) => env[name] ?? rest,
  );
const env: Readonly<Record<string, string>> = {
  ...sampleSecrets,
  POSTGRES_PASSWORD: "password",
  NATS_TOKEN: "nats_0123",
  PUBLIC_URL: "https://messaging.example.com",
};

describe("the Compose file", () => {
  test("runs every app that the cluster runs, each with the settings it asks for and no others", () => {
    expect(apps.map(([name]) => name).toSorted()).toEqual(Object.keys(readers).toSorted());
    const faults = apps.flatMap(([name, { environment }]) =>
      settingFaults(
        name,
        Object.fromEntries(Object.entries(environment).map(([key, value]) => [key, filled(value)])),
      ),
    );
    expect(faults).toEqual([]);
  });

  test("starts what is needed first, and waits for its health", () => {
    for (const [name, { depends_on: needs }] of Object.entries(services))
      for (const [needed, { condition }] of Object.entries(needs)) {
        expect(services, `${name} needs ${needed}`).toHaveProperty(needed);
        expect(condition).toBe(
          needed === "migrate" ? "service_completed_successfully" : "service_healthy",
        );
      }
    const own = ["postgres", "nats", "front"];
    expect(own.filter((name) => services[name]?.healthcheck === undefined)).toEqual([]);
    expect(read("infra/docker/Dockerfile")).toMatch(/^HEALTHCHECK /m);
    const waiting = apps.filter(([name]) => name !== "migrate");
    expect(
      waiting.filter(([, { depends_on: needs }]) => !("migrate" in needs && "nats" in needs)),
    ).toEqual([]);
    expect(services["migrate"]?.depends_on).toHaveProperty("postgres");
  });

  test("holds no secret, runs releases only, and gives its apps no rights", () => {
    const secret = Object.values(services).flatMap(({ environment }) =>
      Object.entries(environment).filter(
        ([name, value]) => /KEY|TOKEN|PASSWORD|_URL/.test(name) && !value.includes("${"),
      ),
    );
    expect(secret).toEqual([]);
    expect(Object.values(services).filter(({ image }) => !/:\d[\w.-]*$/.test(image))).toEqual([]);
    expect(
      apps.filter(([, app]) => app.read_only !== true || !app.cap_drop.includes("ALL")),
    ).toEqual([]);
  });

  test("keeps the database and NATS where nothing leads out", () => {
    expect(services["postgres"]?.networks).toEqual(["inside"]);
    expect(services["nats"]?.networks).toEqual(["inside"]);
    expect(read("infra/compose/compose.yaml")).toContain("inside: { internal: true }");
  });

  test("builds each image from a package that is there, by the Dockerfile that is there", () => {
    const built = apps.flatMap(([, { build, image }]) =>
      build === undefined ? [] : [{ build, image }],
    );
    for (const { build, image } of built) {
      const folder = build.args.APP === "console-server" ? "console/server" : build.args.APP;
      expect(JSON.parse(read(`apps/${folder}/package.json`))).toMatchObject({
        name: `@thikaa/${build.args.APP}`,
      });
      expect(image).toMatch(new RegExp(`^thikaa/${build.args.APP}:`));
      expect(read(build.dockerfile)).toContain("ARG APP");
    }
    const images = new Set(built.map(({ image }) => image));
    expect(apps.filter(([, { image }]) => !images.has(image))).toEqual([]);
  });

  test("leads the same paths to the same apps as the house in one process", () => {
    const caddyfile = read("infra/compose/Caddyfile");
    const mounts = [...read("apps/standalone/src/start.ts").matchAll(/prefix: "([^"]+)"/g)].flatMap(
      ([, prefix]) => prefix ?? [],
    );
    const led = [...caddyfile.matchAll(/^\s*@([\w-]+) path (.+)$/gm)];
    const paths = led.flatMap(([, , list = ""]) => list.split(" "));
    const wanted = mounts
      .filter((prefix) => prefix !== "/simulator")
      .flatMap((prefix) => [prefix, `${prefix}/*`]);
    expect(paths.toSorted()).toEqual(["/", ...wanted].toSorted());
    for (const [, app = ""] of led)
      expect(caddyfile).toContain(`handle @${app} {\n\t\treverse_proxy ${app}:3000`);
    for (const [, app = ""] of caddyfile.matchAll(/reverse_proxy ([\w-]+):/g))
      expect(services[app]?.networks).toContain("outside");
  });
});

test("an image runs as nobody in particular, from bases of one release", () => {
  const dockerfile = read("infra/docker/Dockerfile");
  const stages = [...dockerfile.matchAll(/^FROM (\S+)(?: AS (\w+))?/gm)];
  const names = stages.map(([, , name]) => name);
  for (const [, base = ""] of stages.filter(([, from]) => !names.includes(from)))
    expect(base).toMatch(/^node:24\.\d+\.\d+-slim$/);
  expect(dockerfile).toMatch(/^USER \d+:\d+$/m);
  const migration = /node_modules\/@thikaa\/db\/dist\/migrate-main\.js/;
  expect(read("infra/kubernetes/base/migrate.yaml")).toMatch(migration);
  expect(read("infra/compose/compose.yaml")).toMatch(migration);
});
