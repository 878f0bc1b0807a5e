// Local servers that speak each provider's real protocol.
export { startTelegramStandIn } from "./telegram/stand-in.ts";
export type { BotSummary, TelegramStandIn, TelegramStandInOptions } from "./telegram/contract.ts";
export type { StoredMessage, TelegramChange } from "./telegram/changes.ts";
export type { FaultHandle, FaultScope, TelegramFault } from "./telegram/faults.ts";
export type { FileKind, StoredFile } from "./telegram/files.ts";
export type { PersonActionResult, PersonFile, PersonMessage } from "./telegram/people-actions.ts";
export type {
  CallFilter,
  CallOutcome,
  CallRecord,
  RecordedCall,
  RecordedUpload,
} from "./telegram/record.ts";
export type { NewBot, Person } from "./telegram/state.ts";
export type { WebhookAttempt } from "./telegram/webhook-sender.ts";
export type { BusinessMessage, GroupMessage } from "./telegram/other-chats.ts";
export type {
  PersonAlbum,
  PersonCard,
  PersonInChat,
  PersonPlace,
} from "./telegram/people-content.ts";
export type {
  WireButton,
  WireContact,
  WireEntity,
  WireFile,
  WireMedia,
  WireMessage,
} from "./telegram/wire.ts";
export type { Clock } from "./clock.ts";
export { startS3StandIn } from "./s3/stand-in.ts";
export type { S3RecordedCall, S3StandIn, S3StandInOptions } from "./s3/contract.ts";
export type { S3Fault, S3Operation } from "./s3/faults.ts";
export { startWhatsAppWebStandIn } from "./whatsapp-qr/start.ts";
export type {
  Ending,
  LinkedDevice,
  LinkedDeviceOf,
  NewGroup,
  NewPhone,
  Phone,
  PhoneMessage,
  PhoneSettings,
  WhatsAppWebStandIn,
  WhatsAppWebStandInOptions,
} from "./whatsapp-qr/contract.ts";
export type { ChatMessage } from "./whatsapp-qr/chat-message.ts";
export type { MediaKind, PhoneContent } from "./whatsapp-qr/content.ts";
export type { WhatsAppWebChange } from "./whatsapp-qr/changes.ts";
export type { WhatsAppWebFault } from "./whatsapp-qr/faults.ts";
export type {
  DecryptedCopy,
  Recorded,
  RecordedEntry,
  RecordFilter,
  WireRecord,
} from "./whatsapp-qr/record.ts";
