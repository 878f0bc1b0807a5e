// What the floors and the outside world share: a bare server that reads a JSON body and answers.
import { createServer } from "node:http";

/** Serves on the port given in the arguments; the answer is sent when it resolves. */
export function serve(handle: (path: string, body: string) => Promise<string> | string): void {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      void Promise.resolve(handle(request.url ?? "/", Buffer.concat(chunks).toString()))
        .catch(() => null)
        .then((text) => {
          const answer = text ?? '{"ok":false}';
          response.writeHead(text === null ? 500 : 200, {
            "Content-Type": "application/json",
            "Content-Length": Buffer.byteLength(answer),
          });
          response.end(answer);
        });
    });
  });
  // Kept connections must outlive the pauses between rounds.
  server.keepAliveTimeout = 600_000;
  server.listen(Number(process.argv[2]), "127.0.0.1");
  process.once("disconnect", () => process.exit(0));
}
