// What the run's set-up hands to every test file.
import { inject } from "vitest";

declare module "vitest" {
  interface ProvidedContext {
    postgresUrl: string;
    natsUrl: string;
  }
}

/** The run's PostgreSQL, as its owner. For databases of its own a test takes `createTestDatabase`. */
export function postgresUrl(): string {
  return inject("postgresUrl");
}

/** The run's NATS server, shared by all test files: each uses its own `testNamespace()`. */
export function natsUrl(): string {
  return inject("natsUrl");
}
