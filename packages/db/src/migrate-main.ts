// The migration command: `npm run -s migrate`, needs only DATABASE_URL.
import { readMigrateConfig } from "./config.ts";
import { migrate } from "./migrate.ts";

try {
  const applied: string[] = [];
  await migrate(readMigrateConfig().databaseUrl, (name) => applied.push(name));
  process.stdout.write(
    applied.length === 0 ? "The schema is up to date.\n" : `Applied: ${applied.join(", ")}\n`,
  );
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
