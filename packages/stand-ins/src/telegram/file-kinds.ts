// What each kind of file looks like in a message, and which bytes and types the server takes for it.
import { badRequest } from "./api-error.ts";
import type { FileKind, Files, NewFile, StoredFile } from "./files.ts";
import type { WireFile, WireMedia } from "./wire.ts";

const MEBIBYTE = 1024 * 1024;

interface KindRules {
  /** The largest upload. */
  upload: number;
  /** The largest file that the server fetches from a URL, and the types that it takes there. */
  byUrl: number;
  urlTypes: RegExp;
}

export const KIND_RULES: Readonly<Record<FileKind, KindRules>> = {
  photo: { upload: 10 * MEBIBYTE, byUrl: 5 * MEBIBYTE, urlTypes: /^image\/(jpeg|png|webp|gif)$/ },
  document: {
    upload: 50 * MEBIBYTE,
    byUrl: 20 * MEBIBYTE,
    urlTypes: /^(application\/(pdf|zip)|image\/gif)$/,
  },
  video: { upload: 50 * MEBIBYTE, byUrl: 20 * MEBIBYTE, urlTypes: /^video\/mp4$/ },
  audio: {
    upload: 50 * MEBIBYTE,
    byUrl: 20 * MEBIBYTE,
    urlTypes: /^audio\/(mpeg|mp3|mp4|x-m4a)$/,
  },
  voice: { upload: 50 * MEBIBYTE, byUrl: MEBIBYTE, urlTypes: /^audio\/ogg$/ },
  sticker: { upload: MEBIBYTE / 2, byUrl: MEBIBYTE / 2, urlTypes: /^image\/webp$/ },
  animation: {
    upload: 50 * MEBIBYTE,
    byUrl: 20 * MEBIBYTE,
    urlTypes: /^(video\/mp4|image\/gif)$/,
  },
  // The real service takes these by upload or id alone.
  video_note: { upload: MEBIBYTE, byUrl: 0, urlTypes: /^$/ },
};

const TYPES: Readonly<Record<string, string>> = {
  pdf: "application/pdf",
  zip: "application/zip",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  png: "image/png",
  gif: "image/gif",
  webp: "image/webp",
  mp4: "video/mp4",
  mp3: "audio/mpeg",
  m4a: "audio/mp4",
  ogg: "audio/ogg",
  oga: "audio/ogg",
  txt: "text/plain",
};

/** The type that a file's name tells, as the server guesses it for uploads. */
export function typeOfName(name: string | null): string {
  const extension = /\.([a-z0-9]+)$/i.exec(name ?? "")?.[1]?.toLowerCase() ?? "";
  return (
    (Object.hasOwn(TYPES, extension) ? TYPES[extension] : undefined) ?? "application/octet-stream"
  );
}

/** Throws what the real server answers to bytes that can't be this kind of file. */
export function checkUpload({ kind, bytes }: NewFile): void {
  const limit = KIND_RULES[kind].upload;
  if (bytes.length === 0) throw badRequest("file must be non-empty");
  if (bytes.length > limit)
    throw badRequest(
      `file of size ${bytes.length} bytes is too big for a ${kind}; the maximum size is ${limit} bytes`,
    );
  if (kind === "photo" && !isPicture(bytes)) throw badRequest("IMAGE_PROCESS_FAILED");
}

/** JPEG, PNG, GIF or WEBP by the first bytes. */
function isPicture(bytes: Buffer): boolean {
  const start = bytes.subarray(0, 12).toString("latin1");
  return /^(\xff\xd8\xff|\x89PNG|GIF8|RIFF....WEBP)/s.test(start);
}

/** A file's place in a message. A photo comes in several sizes, the largest last. */
export function wireMedia(files: Files, botId: number, file: StoredFile): WireMedia {
  const common = commonOf(file);
  const named = {
    ...(file.name === null ? {} : { file_name: file.name }),
    ...(file.mime === null ? {} : { mime_type: file.mime }),
  };
  switch (file.kind) {
    case "photo":
      return { photo: [...smallSizes(files, botId), { ...common, width: 1280, height: 960 }] };
    case "document":
      return { document: { ...named, ...common } };
    case "video":
      return { video: { duration: 12, width: 720, height: 1280, ...named, ...common } };
    case "audio":
      return { audio: { duration: 180, ...named, ...common } };
    case "animation": {
      const animation = { duration: 3, width: 320, height: 240, ...named, ...common };
      return { animation, document: { ...named, ...common } };
    }
    case "video_note":
      return { video_note: { duration: 5, length: 384, ...common } };
    case "voice":
      return { voice: { duration: 7, mime_type: file.mime ?? "audio/ogg", ...common } };
    case "sticker":
      return {
        sticker: {
          type: "regular",
          width: 512,
          height: 512,
          is_animated: false,
          is_video: false,
          emoji: "👍",
          ...common,
        },
      };
    default:
      return {};
  }
}

/** The real service makes them from the picture; here they are no pictures at all, so that taking the wrong size shows. */
function smallSizes(files: Files, botId: number): WireFile[] {
  return [
    { width: 90, height: 67 },
    { width: 320, height: 240 },
  ].map((size) => {
    const bytes = Buffer.from(`a picture of ${size.width} by ${size.height}`);
    return {
      ...commonOf(files.add(botId, { kind: "photo", bytes, name: null, mime: null })),
      ...size,
    };
  });
}

function commonOf(file: StoredFile): WireFile {
  return { file_id: file.fileId, file_unique_id: file.uniqueId, file_size: file.bytes.length };
}
