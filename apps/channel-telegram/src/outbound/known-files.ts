// Files that Telegram has already: what an address was sent as, so that it is neither fetched nor uploaded again for an hour.
import { createHash } from "node:crypto";
import type { ConnectorContext } from "@thikaa/connector-kit";
import { mediaKind } from "@thikaa/schema";
import type { MediaKind } from "@thikaa/schema";
import { z } from "zod";
import type { MediaPayload } from "./plan.ts";

type AskedFile = Pick<MediaPayload, "url" | "kind" | "guessed">;

const stateKey = "known_files";
/** Long enough for a campaign, short enough for a picture that is replaced under the same address. */
const lifetimeMs = 3_600_000;
const mostFiles = 300;
const gatherMs = 1_000;

const stored = z.record(
  z.string(),
  z.object({ fileId: z.string(), kind: mediaKind, until: z.number() }),
);

/** A file as Telegram has it: its id can be sent as this kind alone. */
export interface KnownFile {
  readonly fileId: string;
  readonly kind: MediaKind;
}

/** Only an aid: what can't be read or written is left out, and the file goes the long way. */
export class KnownFiles {
  readonly #context: Pick<ConnectorContext, "state" | "clock" | "log">;
  /** By address and the kind that was asked for; `until` in milliseconds since 1970. The oldest stand first. */
  #files: Promise<Map<string, KnownFile & { readonly until: number }>> | null = null;
  #isDirty = false;
  #isSaving = false;

  constructor(context: Pick<ConnectorContext, "state" | "clock" | "log">) {
    this.#context = context;
  }

  /** What was sent within the hour when this was asked for. */
  async find(asked: AskedFile): Promise<KnownFile | null> {
    const file = (await this.#load()).get(keyOf(asked));
    return file !== undefined && file.until > this.#now() ? file : null;
  }

  /** Notes what an address was sent as. Resolves before it is written. */
  async remember(asked: AskedFile, file: KnownFile): Promise<void> {
    const files = await this.#load();
    files.set(keyOf(asked), { ...file, until: this.#now() + lifetimeMs });
    for (const [key, { until }] of files)
      if (until <= this.#now() || files.size > mostFiles) files.delete(key);
    this.#save();
  }

  async forget(asked: AskedFile): Promise<void> {
    if ((await this.#load()).delete(keyOf(asked))) this.#save();
  }

  #now(): number {
    return this.#context.clock().getTime();
  }

  #load() {
    return (this.#files ??= this.#read());
  }

  async #read() {
    const { state, log } = this.#context;
    try {
      const text = (await state.get([stateKey])).get(stateKey);
      return new Map(text === undefined ? [] : Object.entries(stored.parse(JSON.parse(text))));
    } catch (error) {
      log.warn({ error }, "the files that Telegram has could not be read; they are sent anew");
      return new Map<string, KnownFile & { until: number }>();
    }
  }

  #save(): void {
    this.#isDirty = true;
    if (!this.#isSaving) void this.#write();
  }

  async #write(): Promise<void> {
    const { state, log } = this.#context;
    this.#isSaving = true;
    while (this.#isDirty) {
      // What a burst of messages notes is written together.
      await new Promise((resolve) => setTimeout(resolve, gatherMs).unref());
      this.#isDirty = false;
      const files = Object.fromEntries(await this.#load());
      await state
        .set({ [stateKey]: JSON.stringify(files) })
        .catch((error: unknown) =>
          log.debug({ error }, "the files that Telegram has could not be noted"),
        );
    }
    this.#isSaving = false;
  }
}

function keyOf({ url, kind, guessed }: AskedFile): string {
  const text = `${guessed ? "any" : kind} ${url}`;
  return createHash("sha256").update(text).digest("base64url").slice(0, 22);
}
