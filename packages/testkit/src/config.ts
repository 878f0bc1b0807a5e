// The one place of this package that reads the environment.

/** What a program needs of the environment to run at all, and to start fast, without any setting of ours. */
export function plainEnvironment(): Record<string, string> {
  return Object.fromEntries(
    ["PATH", "HOME", "NODE_COMPILE_CACHE"].flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** A NATS server the person running the tests wants used instead of one started for the run. */
export function givenNatsUrl(): string | undefined {
  return process.env.NATS_URL === "" ? undefined : process.env.NATS_URL;
}

/** The PostgreSQL of the test run that started this one: its databases are made there, and nothing is started. */
export function givenPostgresUrl(): string | undefined {
  return process.env.THIKAA_TEST_POSTGRES_URL;
}
