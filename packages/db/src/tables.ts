// The tables as Kysely sees them: one interface a table, in step with the SQL migrations.
import type { ChannelCode, ConnectionState, DesiredState, EventType, Plan } from "@thikaa/schema";
import type { Generated, GeneratedAlways } from "kysely";

export interface StoresTable {
  id: string;
  slug: string;
  name: string;
  environment: Generated<"live" | "sandbox">;
  plan: Plan;
  status: Generated<"active" | "inactive">;
  default_calling_code: string | null;
  created_at: Generated<Date>;
}

export interface BalancesTable {
  store_id: string;
  balance_micro: Generated<number>;
}

export interface LedgerTable {
  store_id: string;
  id: string;
  kind: "credit" | "debit" | "refund";
  message_id: string | null;
  amount_micro: number;
  note: string | null;
  created_at: Generated<Date>;
}

export interface InstancesTable {
  store_id: string;
  id: string;
  name: string;
  channels: ChannelCode[];
  status: Generated<"active" | "disabled" | "revoked">;
  key_hash: Buffer;
  key_prefix: string;
  key_last4: string;
  rate_limit: Generated<number>;
  expires_at: Date | null;
  created_at: Generated<Date>;
}

export interface RateWindowsTable {
  instance_id: string;
  started_at: Date;
  used: number;
}

export interface EndpointsTable {
  store_id: string;
  id: string;
  instance_id: string | null;
  url: string;
  events: Generated<EventType[]>;
  secret_sealed: string;
  previous_secret_sealed: string | null;
  previous_secret_until: Date | null;
  status: Generated<"active" | "disabled">;
  disabled_reason: string | null;
  created_at: Generated<Date>;
}

export interface ChannelDescriptionsTable {
  channel: string;
  description: unknown;
  updated_at: Generated<Date>;
}

export interface ConnectionsTable {
  store_id: string;
  id: string;
  channel: ChannelCode;
  name: string;
  is_default: Generated<boolean>;
  environment: "live" | "sandbox";
  desired: Generated<DesiredState>;
  state: Generated<ConnectionState>;
  reason: unknown;
  since: Generated<Date>;
  address: string | null;
  display: Generated<unknown>;
  credentials_sealed: string;
  webhook_secret_sealed: string;
  settings: Generated<unknown>;
  price_micro: number | null;
  revision: Generated<number>;
  last_inbound_at: Date | null;
  last_sent_at: Date | null;
  created_at: Generated<Date>;
}

export interface ConnectorStateTable {
  connection_id: string;
  key: string;
  value_sealed: string;
}

export interface WorkersTable {
  id: string;
  role: string;
  host: string;
  started_at: Generated<Date>;
  expires_at: Date;
}

export interface AssignmentsTable {
  kind: string;
  key: string;
  worker: string | null;
  epoch: Generated<number>;
}

export interface ContactsTable {
  store_id: string;
  id: string;
  channel: ChannelCode;
  connection_id: string;
  address: string;
  name: string | null;
  phone: string | null;
  username: string | null;
  locale: string | null;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
}

export interface ConversationsTable {
  store_id: string;
  id: string;
  connection_id: string;
  thread: string;
  address: string;
  contact_id: string;
  last_inbound_at: Date | null;
  created_at: Generated<Date>;
}

export interface MessagesTable {
  store_id: string;
  id: string;
  direction: "in" | "out";
  origin: "api" | "device" | "customer";
  instance_id: string | null;
  connection_id: string;
  conversation_id: string | null;
  channel: ChannelCode;
  address: string;
  type: string;
  content: unknown;
  client_reference: string | null;
  status: string;
  final: Generated<boolean>;
  reason: unknown;
  price_micro: Generated<number>;
  refunded: Generated<boolean>;
  possible_duplicate: Generated<boolean>;
  provider_message_id: string | null;
  parts_planned: number | null;
  send_at: Date | null;
  deadline_at: Date | null;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
}

export interface PartsTable {
  store_id: string;
  message_id: string;
  n: number;
  connection_id: string;
  address: string;
  payload: unknown;
  status: Generated<string>;
  provider_message_id: string | null;
  sent_at: Date | null;
}

export interface AttemptsTable {
  store_id: string;
  id: string;
  subject_id: string;
  part: Generated<number>;
  number: number;
  worker: string | null;
  epoch: number | null;
  started_at: Generated<Date>;
  finished_at: Date | null;
  outcome: string | null;
  detail: unknown;
}

export interface SendQueueTable {
  seq: GeneratedAlways<number | null>;
  store_id: string;
  message_id: string;
  connection_id: string;
  address: string;
  due_at: Generated<Date>;
  deadline_at: Date;
  scheduled: Generated<boolean>;
  worker: string | null;
  epoch: number | null;
  attempts: Generated<number>;
  failures: Generated<number>;
  first_failed_at: Date | null;
  uncertain: Generated<boolean>;
}

export interface IdempotencyKeysTable {
  store_id: string;
  instance_id: string;
  key: string;
  fingerprint: Buffer;
  message_id: string;
  answer: unknown;
  created_at: Generated<Date>;
}

export interface InboundItemsTable {
  id: GeneratedAlways<number>;
  store_id: string;
  connection_id: string;
  key: string;
  thread: string;
  shard: number;
  raw: Buffer;
  converted: unknown;
  received_at: Generated<Date>;
  due_at: Generated<Date>;
}

export interface InboundKeysTable {
  connection_id: string;
  key: string;
  created_at: Generated<Date>;
}

export interface InboundUnroutedTable {
  id: string;
  channel: string;
  connection_id: string | null;
  reason: string;
  raw: Buffer;
  received_at: Generated<Date>;
}

export interface EventsUnnumberedTable {
  position: GeneratedAlways<number>;
  shard: number;
  store_id: string;
  id: string;
  type: string;
  channel: string | null;
  connection_id: string | null;
  instance_id: string | null;
  data: unknown;
  created_at: Generated<Date>;
}

export interface StoreSequencesTable {
  store_id: string;
  last: Generated<number>;
}

export interface EventsTable {
  store_id: string;
  id: string;
  sequence: number;
  type: string;
  channel: string | null;
  connection_id: string | null;
  instance_id: string | null;
  data: unknown;
  created_at: Date;
}

export interface EventCursorsTable {
  reader: string;
  store_id: string;
  sequence: number;
}

export interface DeliveriesTable {
  store_id: string;
  id: string;
  endpoint_id: string;
  event_id: string;
  sequence: number;
  status: Generated<"pending" | "delivered" | "failed">;
  attempts: Generated<number>;
  last_status: number | null;
  last_error: string | null;
  created_at: Generated<Date>;
  finished_at: Date | null;
}

export interface DeliveryQueueTable {
  delivery_id: string;
  store_id: string;
  endpoint_id: string;
  event_id: string;
  shard: number;
  due_at: Generated<Date>;
  attempts: Generated<number>;
  worker: string | null;
  epoch: number | null;
  claimed_at: Date | null;
}

/** Every table by its name. */
export interface Tables {
  stores: StoresTable;
  balances: BalancesTable;
  ledger: LedgerTable;
  instances: InstancesTable;
  rate_windows: RateWindowsTable;
  endpoints: EndpointsTable;
  channel_descriptions: ChannelDescriptionsTable;
  connections: ConnectionsTable;
  connector_state: ConnectorStateTable;
  workers: WorkersTable;
  assignments: AssignmentsTable;
  contacts: ContactsTable;
  conversations: ConversationsTable;
  messages: MessagesTable;
  parts: PartsTable;
  attempts: AttemptsTable;
  send_queue: SendQueueTable;
  idempotency_keys: IdempotencyKeysTable;
  inbound_items: InboundItemsTable;
  inbound_keys: InboundKeysTable;
  inbound_unrouted: InboundUnroutedTable;
  events_unnumbered: EventsUnnumberedTable;
  store_sequences: StoreSequencesTable;
  events: EventsTable;
  event_cursors: EventCursorsTable;
  deliveries: DeliveriesTable;
  delivery_queue: DeliveryQueueTable;
}
