// The files of one stand-in: kept by bot and file id, opened for download by a path that getFile hands out for an hour.
import { randomBytes } from "node:crypto";
import type { Clock } from "../clock.ts";
import { badRequest } from "./api-error.ts";

/** What a file is to Telegram; a file id can't be sent as another kind. */
export const FILE_KINDS = [
  "photo",
  "document",
  "video",
  "audio",
  "voice",
  "sticker",
  "animation",
  "video_note",
] as const;
export type FileKind = (typeof FILE_KINDS)[number];

/** A file as somebody hands it over. */
export interface NewFile {
  kind: FileKind;
  bytes: Buffer;
  /** As its sender named it; photos, voices and stickers lose theirs, as on the real service. */
  name: string | null;
  mime: string | null;
}

/** A file that the server has. */
export interface StoredFile extends NewFile {
  readonly fileId: string;
  readonly uniqueId: string;
  readonly botId: number;
}

/** What the cloud server lets a bot download. */
const LARGEST_DOWNLOAD = 20 * 1024 * 1024;
const PATH_LIFETIME_MS = 3_600_000;
/** Bytes kept in all; the oldest files go first, so that a sandbox can run for months. */
const MOST_BYTES = 512 * 1024 * 1024;

const PLACES: Readonly<Record<FileKind, { prefix: string; folder: string; ending: string }>> = {
  photo: { prefix: "AgAC", folder: "photos", ending: "jpg" },
  document: { prefix: "BQAC", folder: "documents", ending: "bin" },
  video: { prefix: "BAAC", folder: "videos", ending: "mp4" },
  audio: { prefix: "CQAC", folder: "music", ending: "mp3" },
  voice: { prefix: "AwAC", folder: "voice", ending: "oga" },
  sticker: { prefix: "CAAC", folder: "stickers", ending: "webp" },
  animation: { prefix: "CgAC", folder: "animations", ending: "mp4" },
  video_note: { prefix: "DQAC", folder: "video_notes", ending: "mp4" },
};

export class Files {
  readonly #clock: Clock;
  readonly #files = new Map<string, StoredFile>();
  readonly #paths = new Map<string, { file: StoredFile; until: number }>();
  #bytes = 0;
  #count = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Keeps a file for one bot: another bot can neither send nor download it by this id. */
  add(botId: number, file: NewFile): StoredFile {
    const stored: StoredFile = {
      ...file,
      fileId: PLACES[file.kind].prefix + randomBytes(24).toString("base64url"),
      uniqueId: `AgAD${randomBytes(8).toString("base64url")}`,
      botId,
    };
    this.#files.set(stored.fileId, stored);
    this.#bytes += stored.bytes.length;
    for (const oldest of this.#files.values()) {
      if (this.#bytes <= MOST_BYTES || oldest === stored) break;
      this.#files.delete(oldest.fileId);
      this.#bytes -= oldest.bytes.length;
    }
    return stored;
  }

  /** The file of any bot, for the phone; null when it is unknown. */
  find(fileId: string): StoredFile | null {
    return this.#files.get(fileId) ?? null;
  }

  /** The bot's file, or null: what another bot was given is unknown to this one. */
  ofBot(botId: number, fileId: string): StoredFile | null {
    const file = this.find(fileId);
    return file?.botId === botId ? file : null;
  }

  /** The answer of getFile. Throws the real server's 400s. */
  describe(botId: number, fileId: string): Record<string, unknown> {
    const file = this.ofBot(botId, fileId);
    if (file === null) throw badRequest("invalid file_id");
    if (file.bytes.length > LARGEST_DOWNLOAD) throw badRequest("file is too big");
    const { folder, ending } = PLACES[file.kind];
    const extension = /\.([A-Za-z0-9]{1,8})$/.exec(file.name ?? "")?.[1] ?? ending;
    const path = `${folder}/file_${this.#count++}.${extension}`;
    this.#paths.set(`${botId}/${path}`, { file, until: this.#clock.now() + PATH_LIFETIME_MS });
    return {
      file_id: file.fileId,
      file_unique_id: file.uniqueId,
      file_size: file.bytes.length,
      file_path: path,
    };
  }

  /** The file under a path that getFile gave to this bot within the hour. */
  atPath(botId: number, path: string): StoredFile | null {
    const found = this.#paths.get(`${botId}/${path}`);
    return found === undefined || found.until < this.#clock.now() ? null : found.file;
  }
}
