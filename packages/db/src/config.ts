// Settings of the migration command: only where the database is.
import { z } from "zod";

const settings = z.object({
  DATABASE_URL: z
    .string()
    .min(
      1,
      "DATABASE_URL is not set: write the database's URL, like postgresql://user:password@host:5432/thikaa",
    ),
});

/** Reads the settings from the environment; throws one error that lists every fault. */
export function readMigrateConfig(environment: NodeJS.ProcessEnv = process.env): {
  databaseUrl: string;
} {
  const parsed = settings.safeParse(environment);
  if (!parsed.success)
    throw new Error(parsed.error.issues.map((issue) => issue.message).join("\n"));
  return { databaseUrl: parsed.data.DATABASE_URL };
}
