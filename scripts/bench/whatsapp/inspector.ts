// Looks into a process of Node's that knows nothing of it: its memory after a full collection, and profiles.
import { waitFor } from "@thikaa/testkit";
import { z } from "zod";

export const memoryUse = z.object({
  rss: z.number(),
  heapUsed: z.number(),
  external: z.number(),
  arrayBuffers: z.number(),
});
/** In bytes. */
export type MemoryUse = z.infer<typeof memoryUse>;

const targets = z.array(z.object({ webSocketDebuggerUrl: z.string() }));
const reply = z.looseObject({ id: z.number().optional() });
const evaluated = z.object({ result: z.object({ result: z.object({ value: z.string() }) }) });

export class Inspector {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (answer: unknown) => void>();
  #asked = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      const answer: unknown = JSON.parse(String(data));
      const { id } = reply.parse(answer);
      if (id !== undefined) this.#waiting.get(id)?.(answer);
    });
  }

  /** The process was started with `--inspect-port`; it opens its door on a signal. */
  static async attach(pid: number, port: number): Promise<Inspector> {
    process.kill(pid, "SIGUSR1");
    const url = await waitFor(
      async () => {
        const answer = await fetch(`http://127.0.0.1:${port}/json/list`);
        return targets.parse(await answer.json())[0]?.webSocketDebuggerUrl;
      },
      { what: "the inspector to open" },
    );
    const socket = new WebSocket(url);
    await new Promise((resolve, reject) => {
      socket.addEventListener("open", resolve);
      socket.addEventListener("error", () => reject(new Error("The inspector closed the door.")));
    });
    return new Inspector(socket);
  }

  /** One command of the inspector's protocol. */
  call(method: string, params: object = {}): Promise<unknown> {
    const id = ++this.#asked;
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.#waiting.set(id, resolve);
    this.#socket.send(JSON.stringify({ id, method, params }));
    return promise;
  }

  /** After a full collection. */
  async memory(): Promise<MemoryUse> {
    await this.call("HeapProfiler.collectGarbage");
    const answer = await this.call("Runtime.evaluate", {
      expression: "JSON.stringify(process.memoryUsage())",
    });
    return memoryUse.parse(JSON.parse(evaluated.parse(answer).result.result.value));
  }

  close(): void {
    this.#socket.close();
  }
}
