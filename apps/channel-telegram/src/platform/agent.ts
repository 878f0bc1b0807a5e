// Connections to Telegram: kept open between calls, and given up early when they can't be made, so that a call that never began is known as such.
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { Duplex } from "node:stream";

/** The error code of a connection that was not there in time: nothing was sent on it. */
export const connectTimeoutCode = "THIKAA_CONNECT_TIMEOUT";
const connectWithinMs = 5_000;

class PatientHttpAgent extends HttpAgent {
  override createConnection(
    ...parameters: Parameters<HttpAgent["createConnection"]>
  ): ReturnType<HttpAgent["createConnection"]> {
    return limited(super.createConnection(...parameters), "connect");
  }
}

class PatientHttpsAgent extends HttpsAgent {
  override createConnection(
    ...parameters: Parameters<HttpsAgent["createConnection"]>
  ): ReturnType<HttpsAgent["createConnection"]> {
    return limited(super.createConnection(...parameters), "secureConnect");
  }
}

/** Each bot holds one for its poll. With Node's own limit (256) a process of many bots would close and open hundreds whenever their polls end together. */
const mostIdleSockets = 10_000;
const options = { keepAlive: true, maxFreeSockets: mostIdleSockets } as const;
const agents = { "http:": new PatientHttpAgent(options), "https:": new PatientHttpsAgent(options) };

/** The agent for a base URL, shared by all bots of the process. */
export function agentFor(baseUrl: string): HttpAgent | HttpsAgent {
  return baseUrl.startsWith("https:") ? agents["https:"] : agents["http:"];
}

function limited<Socket extends Duplex | null | undefined>(
  socket: Socket,
  ready: "connect" | "secureConnect",
): Socket {
  if (socket === null || socket === undefined) return socket;
  const timer = setTimeout(
    () =>
      socket.destroy(
        Object.assign(new Error("No connection within 5 seconds."), { code: connectTimeoutCode }),
      ),
    connectWithinMs,
  );
  const end = () => clearTimeout(timer);
  socket.once(ready, end);
  socket.once("close", end);
  return socket;
}
