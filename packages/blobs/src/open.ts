// Opens the store of media that `MEDIA_STORE_URL` names.
import { fileURLToPath } from "node:url";
import type { BlobStore } from "./blob-store.ts";
import { FolderBlobStore } from "./folder.ts";

/** Opens `file:` URLs, like `file:///var/lib/thikaa/media`; throws for anything else, naming what can be given. */
export async function openBlobStore(url: string): Promise<BlobStore> {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed?.protocol === "file:" && parsed.host === "")
    return FolderBlobStore.open(fileURLToPath(parsed));
  throw new Error("MEDIA_STORE_URL must be a folder's URL, like file:///var/lib/thikaa/media.");
}
