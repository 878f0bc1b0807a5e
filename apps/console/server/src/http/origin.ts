// The address under which the house is reached, for links and commands that are handed out.
import type { IncomingMessage } from "node:http";
import type { House } from "../house.ts";

/** The public URL, else the host that was asked, when it is one that can stand in a command. Without a last slash. */
export function originOf(house: House, request: IncomingMessage): string {
  const host = request.headers.host ?? "";
  return (
    house.config.publicUrl ??
    `http://${/^[a-z0-9.-]+(:\d+)?$|^\[[0-9a-f:]+\](:\d+)?$/i.test(host) ? host : "localhost:3000"}`
  );
}
