// Whether the store of media can be reached: asked for a file that is not there.
import { openBlobStore } from "@thikaa/blobs";
import { newId } from "@thikaa/schema";
import type { House } from "../house.ts";
import type { Check } from "./check.ts";

const name = "media store";
const timeoutMs = 5_000;

/** Asks the store that `MEDIA_STORE_URL` names; that the console was told of none is no fault. */
export async function blobCheck({ config }: House): Promise<Check> {
  if (config.mediaStoreUrl == null)
    return { name, ok: true, detail: "not asked: MEDIA_STORE_URL is not set here", next: null };
  try {
    await Promise.race([ask(config.mediaStoreUrl), tooLate()]);
    return { name, ok: true, detail: "reachable", next: null };
  } catch (error) {
    return {
      name,
      ok: false,
      detail: error instanceof Error ? error.message : "it can't be reached",
      next: "Check MEDIA_STORE_URL and the store. Messages go on; their files can't be read or kept until then.",
    };
  }
}

async function ask(url: string): Promise<void> {
  const blobs = await openBlobStore(url);
  try {
    await blobs.stat(newId());
  } finally {
    await blobs.close();
  }
}

function tooLate(): Promise<never> {
  return new Promise((_, reject) => {
    setTimeout(
      () => reject(new Error(`it did not answer in ${timeoutMs / 1_000} s`)),
      timeoutMs,
    ).unref();
  });
}
