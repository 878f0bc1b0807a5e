// A lock on a folder that the kernel releases by itself when the holder dies, so that no stale lock can remain.
import { createHash } from "node:crypto";
import { realpathSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { poll } from "./poll.ts";

/** A held lock; `release` may be called more than once. */
export interface FolderLock {
  release(): void;
}

/**
 * Takes the lock of an existing folder, or gives undefined when a living process holds it.
 * It is a listening socket in Linux's abstract namespace: no file, and gone with the process, even after kill −9.
 * It excludes processes of the same machine (the same network namespace), not of another one sharing the disk.
 */
export async function tryLockFolder(folder: string): Promise<FolderLock | undefined> {
  const name = createHash("sha256").update(realpathSync(folder)).digest("hex").slice(0, 32);
  const server = createServer((socket) => socket.destroy());
  if (!(await listens(server, `\0thikaa-folder-${name}`))) return undefined;
  server.unref();
  return { release: () => void server.close() };
}

/** Like `tryLockFolder`, but waits up to `deadlineMs` for the holder; undefined when it still holds then. */
export function lockFolder(folder: string, deadlineMs: number): Promise<FolderLock | undefined> {
  return poll(deadlineMs, () => tryLockFolder(folder));
}

function listens(server: Server, path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      error.code === "EADDRINUSE" ? resolve(false) : reject(error),
    );
    server.listen({ path, exclusive: true }, () => resolve(true));
  });
}
