// Keeps test files apart on the shared NATS server.
import { randomBytes } from "node:crypto";

/** A first token for NATS subjects that no other test uses. */
export function testNamespace(): string {
  return `t${randomBytes(8).toString("hex")}`;
}
