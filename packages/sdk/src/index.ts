// The public door of the client: exports only.
export {
  AdminClient,
  type AdminClientConfig,
  type PairingLink,
  type StreamOptions,
} from "./admin.ts";
export {
  ThikaaClient,
  type CallOptions,
  type FollowOptions,
  type SendOptions,
  type ThikaaClientConfig,
} from "./client.ts";
export { ThikaaError, type ThikaaErrorCode } from "./errors.ts";
export type { ServerSentEvent } from "./server-sent-events.ts";
export {
  signWebhook,
  verifyWebhook,
  WebhookVerificationError,
  type SignWebhookInput,
  type VerifyWebhookInput,
  type WebhookFault,
  type WebhookHeaders,
} from "./webhook.ts";
export type {
  CancelAnswer,
  ChannelCode,
  ErrorCode,
  EventsAnswer,
  MessageAnswer,
  PairingState,
  SendAnswer,
  SendBody,
  StatusAnswer,
  StoreEvent,
  TypingAnswer,
  TypingBody,
  WebhookBody,
} from "@thikaa/schema";
