// Whether an object is one that the cluster takes: right types, nothing missing, and no field that its schema does not know.
import { z } from "zod";

/** A class of objects; its `validate` throws what is wrong. */
type Kind = new (data: unknown) => { validate(): void };

const headSchema = z.object({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.object({ name: z.string() }),
});

// The registry has no schema of this operator's objects: what we use of them, by its documentation.
const clusterSchema = z.strictObject({
  apiVersion: z.literal("postgresql.cnpg.io/v1"),
  kind: z.literal("Cluster"),
  metadata: z.looseObject({ name: z.string() }),
  spec: z.strictObject({
    instances: z.int().min(1),
    primaryUpdateStrategy: z.enum(["unsupervised", "supervised"]),
    enablePDB: z.boolean(),
    bootstrap: z.strictObject({
      initdb: z.strictObject({ database: z.string(), owner: z.string(), encoding: z.string() }),
    }),
    storage: z.strictObject({ size: z.string() }),
    walStorage: z.strictObject({ size: z.string() }),
    postgresql: z.strictObject({
      parameters: z.record(z.string(), z.string()),
      synchronous: z.strictObject({
        method: z.enum(["any", "first"]),
        number: z.int().min(1),
        dataDurability: z.enum(["required", "preferred"]),
      }),
    }),
    affinity: z.strictObject({
      enablePodAntiAffinity: z.boolean(),
      topologyKey: z.string(),
      podAntiAffinityType: z.enum(["preferred", "required"]),
    }),
    resources: z.strictObject({
      requests: z.record(z.string(), z.string()),
      limits: z.record(z.string(), z.string()),
    }),
  }),
});

/** Everything that is wrong with a rendered object, each with its name. */
export async function schemaFaults(object: unknown): Promise<string[]> {
  const { apiVersion, kind, metadata } = headSchema.parse(object);
  const name = `${kind} ${metadata.name}`;
  if (kind === "Cluster") {
    const { error } = clusterSchema.safeParse(object);
    return error === undefined ? [] : [`${name}: ${z.prettifyError(error)}`];
  }
  const KindOfObject = await kindOf(apiVersion, kind);
  const model = new KindOfObject(object);
  const unread = new Set<string>();
  const wrong: string[] = [];
  try {
    model.validate.call(watched(model, kind, unread));
  } catch (error) {
    wrong.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
  return [...wrong, ...[...unread].map((path) => `${name}: unknown field ${path}`)];
}

async function kindOf(apiVersion: string, kind: string): Promise<Kind> {
  const home = apiVersion.startsWith("keda.sh/") ? "@kubernetes-models/keda" : "kubernetes-models";
  const exported: unknown = await import(`${home}/${apiVersion}/${kind}`);
  return (
    z
      .record(
        z.string(),
        z.custom<Kind>((value) => typeof value === "function"),
      )
      .parse(exported)[kind] ?? missing(kind)
  );
}

function missing(kind: string): never {
  throw new Error(`There is no schema of ${kind}.`);
}

/** An object that tells which of its fields were never looked at: a validator reads every field that its schema knows. */
function watched(value: unknown, path: string, unread: Set<string>): unknown {
  if (typeof value !== "object" || value === null) return value;
  const pathOf = (key: string | symbol) => (Array.isArray(value) ? path : `${path}.${String(key)}`);
  if (!Array.isArray(value)) for (const key of Object.keys(value)) unread.add(pathOf(key));
  return new Proxy(value, {
    get(target, key, receiver) {
      const own = Object.hasOwn(target, key);
      if (own) unread.delete(pathOf(key));
      const inner: unknown = Reflect.get(target, key, receiver);
      return own ? watched(inner, pathOf(key), unread) : inner;
    },
    // A map: every key is as good as any other.
    ownKeys(target) {
      for (const key of Reflect.ownKeys(target)) unread.delete(pathOf(key));
      return Reflect.ownKeys(target);
    },
  });
}
