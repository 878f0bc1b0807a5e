// PostgreSQL and nats-server as supervised child processes, for standalone and tests.
export { freePort } from "./free-port.ts";
export { tryLockFolder, type FolderLock } from "./folder-lock.ts";
export { findNatsServer, type FindNatsOptions } from "./nats-binary.ts";
export { keepNats, keepPostgres, type KeptServer } from "./kept-servers.ts";
export { Keeper, type KeeperConfig, type Running } from "./keeper.ts";
export { startNats, type NatsOptions, type RunningNats } from "./nats.ts";
export { startPostgres, type PostgresOptions, type RunningPostgres } from "./postgres.ts";
export type { Exit } from "./supervised.ts";
export { OLDEST_NATS, assertNatsVersion } from "./version.ts";
