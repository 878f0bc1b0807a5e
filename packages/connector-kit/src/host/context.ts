// Makes the context that a connector gets for one connection: opened credentials, sealed state, fenced writes.
import {
  deleteConnectorState,
  findTaken,
  identifyConnection,
  isUniqueViolation,
  readConnectorState,
  replaceCredentials,
  writeConnectorState,
} from "@thikaa/db";
import type { OwnedConnection } from "@thikaa/db";
import { toWireId } from "@thikaa/schema";
import { places } from "@thikaa/vault";
import type {
  ConnectorContext,
  ConnectorState,
  IdentifiedAccount,
  StateChange,
} from "../context.ts";
import type { CredentialValues } from "../credentials.ts";
import { AddressTaken, ConnectionFault, OwnershipLost } from "../faults.ts";
import type { RawItem } from "../raw-item.ts";
import { openAddress } from "./open-address.ts";
import type { HostParts } from "./parts.ts";
import type { SealedState } from "./receiver.ts";
import type { StateReport } from "./state-report.ts";

export interface ContextOptions {
  readonly parts: HostParts;
  readonly row: OwnedConnection;
  readonly epoch: number;
  readonly report: StateReport;
  readonly signal: AbortSignal;
}

/** Throws `ConnectionFault` when the connection can't be opened as it stands: credentials, or a sandbox that is not here. */
export function createContext(options: ContextOptions): ConnectorContext {
  const { parts, row, report, signal } = options;
  return {
    connectionId: row.id,
    credentials: {
      values: openCredentials(parts, row),
      replace: (values) => replace(options, values),
    },
    baseUrl: baseUrlOf(parts, row),
    webhookUrl:
      parts.config.webhookBase === null || row.environment === "sandbox"
        ? null
        : `${parts.config.webhookBase}/hooks/${row.channel}/${toWireId("connection", row.id)}`,
    webhookSecret: openWebhookSecret(parts, row),
    identify: (account) => identify(options, account),
    state: stateOf(options),
    message: (messageId, to) =>
      findTaken(parts.database, {
        storeId: row.store_id,
        connectionId: row.id,
        address: to,
        messageId,
      }),
    received: (items, change) => receive(options, items, change),
    openAddress: (url, until = signal) =>
      openAddress(parts.downloader, url, AbortSignal.any([signal, until])),
    report: (state, reason) => report.say(state, reason),
    clock: () => new Date(),
    log: parts.log.child({ connection: row.id }),
    signal,
  };
}

/** The credentials of a connection, opened and of the right shape; throws `ConnectionFault` otherwise. */
export function openCredentials(
  parts: Pick<HostParts, "vault" | "connector">,
  row: OwnedConnection,
): CredentialValues {
  const parsed = parts.connector.credentials.values.safeParse(
    openJson(() => parts.vault.open(row.credentials_sealed, places.connectionCredentials(row.id))),
  );
  if (parsed.success) return parsed.data;
  const fields = [...new Set(parsed.error.issues.map((issue) => issue.path.join(".")))].join(", ");
  throw new ConnectionFault({
    state: "attention",
    reason: {
      code: "credentials_invalid",
      message: `The credentials are not complete or not well-formed: ${fields || "all"}. Give them again.`,
    },
  });
}

/** The secret that proves a webhook request; throws `ConnectionFault` when it can't be opened. */
export function openWebhookSecret(parts: Pick<HostParts, "vault">, row: OwnedConnection): string {
  return unsealed(() =>
    parts.vault.open(row.webhook_secret_sealed, places.connectionWebhookSecret(row.id)),
  );
}

function baseUrlOf(parts: HostParts, row: OwnedConnection): string {
  const { live, sandbox } = parts.config.baseUrls;
  if (row.environment === "live") return withoutSlash(live);
  if (sandbox !== null && parts.config.environment !== "production") return withoutSlash(sandbox);
  throw new ConnectionFault({
    state: "attention",
    reason: {
      code: "sandbox_closed",
      message:
        "This connection belongs to the sandbox, and the sandbox is not open in this installation.",
    },
  });
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, "");
}

async function identify(
  { parts, row, epoch }: ContextOptions,
  account: IdentifiedAccount,
): Promise<void> {
  const fence = { connectionId: row.id, worker: parts.worker.id, epoch };
  const held = await identifyConnection(parts.database, fence, {
    address: account.address,
    display: { name: account.name, link: account.link },
  }).catch((error: unknown) => {
    throw isUniqueViolation(error, "connections_one_per_address") ? new AddressTaken() : error;
  });
  if (!held) throw new OwnershipLost();
}

async function replace(
  { parts, row, epoch }: ContextOptions,
  values: CredentialValues,
): Promise<void> {
  const sealed = parts.vault.seal(JSON.stringify(values), places.connectionCredentials(row.id));
  if (
    !(await replaceCredentials(
      parts.database,
      { connectionId: row.id, worker: parts.worker.id, epoch },
      sealed,
    ))
  )
    throw new OwnershipLost();
}

async function receive(
  options: ContextOptions,
  items: readonly RawItem[],
  change: StateChange | undefined,
): Promise<void> {
  const { parts, row, epoch } = options;
  const connection = { id: row.id, storeId: row.store_id, channel: row.channel };
  if (change === undefined) return parts.receiver.receive(connection, items);
  const held = await parts.receiver.receiveWithState(connection, items, {
    worker: parts.worker.id,
    epoch,
    state: sealChange(options, change),
  });
  if (!held) throw new OwnershipLost();
}

function stateOf(options: ContextOptions): ConnectorState {
  const { parts, row, epoch } = options;
  return {
    async get(keys) {
      const sealed = await readConnectorState(parts.database, row.id, keys);
      return new Map(
        [...sealed].map(([key, value]) => [
          key,
          parts.vault.open(value, places.connectorState(row.id, key)),
        ]),
      );
    },
    async set(values) {
      const fence = { connectionId: row.id, worker: parts.worker.id, epoch };
      if (!(await writeConnectorState(parts.database, fence, sealChange(options, values))))
        throw new OwnershipLost();
    },
    forget: (prefix) => forgetState(options, prefix),
  };
}

/** Deletes what is kept under keys that begin with this; everything, when that is empty. Throws `OwnershipLost`. */
export async function forgetState(
  { parts, row, epoch }: Pick<ContextOptions, "parts" | "row" | "epoch">,
  prefix: string,
): Promise<void> {
  const fence = { connectionId: row.id, worker: parts.worker.id, epoch };
  if (!(await deleteConnectorState(parts.database, fence, prefix))) throw new OwnershipLost();
}

function sealChange({ parts, row }: ContextOptions, values: StateChange): SealedState {
  return new Map(
    Object.entries(values).map(([key, value]) => [
      key,
      value === null ? null : parts.vault.seal(value, places.connectorState(row.id, key)),
    ]),
  );
}

function openJson(open: () => string): unknown {
  const text = unsealed(open);
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function unsealed(open: () => string): string {
  try {
    return open();
  } catch {
    throw new ConnectionFault({
      state: "attention",
      reason: {
        code: "credentials_unreadable",
        message:
          "The stored credentials can't be opened with this installation's master key. Give them again, or restore the key.",
      },
    });
  }
}
