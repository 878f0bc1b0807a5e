// The one place of this package that reads the environment.

/** A NATS server the person running the tests wants used instead of one started for the run. */
export function givenNatsUrl(): string | undefined {
  return process.env.NATS_URL === "" ? undefined : process.env.NATS_URL;
}
