// The OpenAPI document: whole and valid in itself, complete against the error table, and the same as the one in docs/reference.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { actions, errorTable } from "@thikaa/schema";
import { describe, expect, test } from "vitest";
import { buildOpenApi, printOpenApi } from "./openapi.ts";

const document = JSON.parse(printOpenApi()) as Node;

interface Node {
  readonly [key: string]: Node | Node[] | string | number | boolean;
}

/** Everything in the document that has a name, with the way to it. */
function* walk(value: unknown, path = "#"): Generator<[string, Record<string, unknown>]> {
  if (typeof value !== "object" || value === null) return;
  if (!Array.isArray(value)) yield [path, { ...value }];
  for (const [key, entry] of Object.entries(value))
    yield* walk(entry, `${path}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`);
}

function resolve(reference: string): unknown {
  return reference
    .slice(2)
    .split("/")
    .reduce<unknown>(
      (value, part) =>
        typeof value === "object" && value !== null
          ? Object.entries(value).find(
              ([key]) => key === part.replaceAll("~1", "/").replaceAll("~0", "~"),
            )?.[1]
          : undefined,
      document,
    );
}

const nodes = [...walk(document)];
const operations = Object.entries(
  document["paths"] as Record<string, Record<string, Node>>,
).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
);

describe("it is an OpenAPI 3.1 document", () => {
  test("with the members that the standard asks for", () => {
    expect(document["openapi"]).toMatch(/^3\.1\.\d+$/);
    expect(document["info"]).toMatchObject({
      title: expect.any(String),
      version: expect.any(String),
    });
    const known = [
      "openapi",
      "info",
      "jsonSchemaDialect",
      "servers",
      "paths",
      "webhooks",
      "components",
      "security",
      "tags",
      "externalDocs",
    ];
    expect(Object.keys(document).filter((key) => !known.includes(key))).toEqual([]);
  });

  test("every reference leads somewhere", () => {
    const references = nodes.flatMap(([path, node]) =>
      typeof node["$ref"] === "string" ? [[path, node["$ref"]] as const] : [],
    );
    expect(references.length).toBeGreaterThan(10);
    for (const [path, reference] of references)
      expect(resolve(reference), `${path} → ${reference}`).toBeDefined();
  });

  test("every operation has an id of its own, its path's parameters, and responses with descriptions", () => {
    const ids = operations.map(({ operation }) => operation["operationId"]);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { path, operation } of operations) {
      const parameters = operation["parameters"] as {
        name: string;
        in: string;
        required?: boolean;
      }[];
      for (const [, name] of path.matchAll(/\{(\w+)\}/g))
        expect(parameters).toContainEqual(
          expect.objectContaining({ name, in: "path", required: true }),
        );
      for (const [status, response] of Object.entries(operation["responses"] as Node)) {
        expect(status).toMatch(/^[1-5]\d\d$/);
        expect(response).toMatchObject({ description: expect.stringMatching(/\S/) });
      }
    }
  });

  test("every schema is valid JSON Schema 2020-12", () => {
    const ajv = new Ajv2020({ strict: false });
    const schemas = nodes.filter(([path]) =>
      /\/schema$|^#\/components\/schemas\/[^/]+$/.test(path),
    );
    expect(schemas.length).toBeGreaterThan(30);
    for (const [path, schema] of schemas)
      expect(
        () => ajv.compile({ ...schema, components: document["components"] }),
        path,
      ).not.toThrow();
  });
});

describe("it says what the gateway does", () => {
  test("every action by its method", () => {
    expect(
      Object.fromEntries(
        operations.map(({ method, operation }) => [operation["operationId"], method.toUpperCase()]),
      ),
    ).toEqual(actions);
  });

  test("every error of the table that the Messaging API answers stands under its status, with what to do", () => {
    const send = operations.find(({ operation }) => operation["operationId"] === "send")?.operation[
      "responses"
    ] as Record<string, Node>;
    const elsewhere = ["not_found", "conflict", "unauthorized", "credentials_refused"];
    for (const [code, row] of Object.entries(errorTable)) {
      if (elsewhere.includes(code)) continue;
      expect(send[String(row.status)]?.["description"], code).toContain(
        `\`${code}\`: ${row.en} ${row.todo}`,
      );
    }
  });

  test("its server is the house's public address where there is one", () => {
    expect(buildOpenApi("https://example.com").servers).toEqual([{ url: "https://example.com" }]);
  });
});

test("docs/reference/openapi.json is what the generator prints", async () => {
  const file = join(import.meta.dirname, "../../../../docs/reference/openapi.json");
  expect(await readFile(file, "utf8")).toBe(printOpenApi());
});
