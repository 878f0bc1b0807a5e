// No private key on stdout: libsignal as it is shipped prints whole sessions with their keys.
import { fork } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";

test("no secret of a linked device is printed or logged, whatever happens to its ratchets", async () => {
  const child = fork(join(import.meta.dirname, "fixtures/secret-talk.ts"), [], {
    execArgv: ["--disable-warning=ExperimentalWarning", "--conditions=source"],
    silent: true,
  });
  let [output, secrets]: [string, string[]] = ["", []];
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.on("message", (message) => (secrets = z.array(z.string()).parse(message)));
  const code = await new Promise((resolve) => child.once("close", resolve));
  expect(code, output).toBe(0);
  // Identity, pre-keys and the steps of several ratchets; and something was logged at all.
  expect(secrets.length).toBeGreaterThan(50);
  expect(output.length).toBeGreaterThan(500);
  const found = secrets.filter((secret) => formsOf(secret).some((form) => output.includes(form)));
  expect(found.length).toBe(0);
}, 60_000);

/** As text, and as a console shows bytes: of a Buffer, and of another array. */
function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret, "base64");
  const hex = bytes.toString("hex");
  const begin = [...bytes.subarray(0, 12)];
  return [
    secret,
    hex,
    begin.map((byte) => byte.toString(16).padStart(2, "0")).join(" "),
    begin.join(", "),
    begin.join(","),
  ];
}
