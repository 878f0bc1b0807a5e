// Real servers and helpers for tests.
export { freePort } from "@thikaa/embedded";
export type {
  AccountPhone,
  AppSettings,
  ConnectorHarness,
  Inlet,
  MixedMessage,
  OwnPayload,
  PairingHarness,
  ProviderAccount,
  ProviderError,
  ProviderHarness,
  ProviderPayloads,
} from "./conformance/harness.ts";
export { openBrowser } from "./browser.ts";
export { createMemoryContext, type MemoryContext } from "./conformance/memory-context.ts";
export { testConnector } from "./conformance/suite.ts";
export { plainEnvironment } from "./config.ts";
export { createTestDatabase, type TestDatabase, type TestDatabaseOptions } from "./database.ts";
export { startFaultProxy, type Direction, type Fault, type FaultProxy } from "./fault-proxy.ts";
export { testNamespace } from "./namespace.ts";
export { paperPairing, PaperPhones } from "./paper-phones.ts";
export { natsUrl, postgresUrl } from "./provided.ts";
export { readQrCode, readQrCodeOfPng, type Pixels } from "./qr-code.ts";
export { statementCost, type StatementCost } from "./statement-cost.ts";
export { deferred, waitFor, type Deferred, type NotYet, type WaitOptions } from "./waiting.ts";
export {
  startWebhookSink,
  type ReceivedRequest,
  type SinkAnswer,
  type SinkScript,
  type WebhookSink,
} from "./webhook-sink.ts";
