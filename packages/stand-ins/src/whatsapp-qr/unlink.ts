// Ends of connections: a device is removed for good, or its connection is cut in one of the server's ways.
import type { Ending } from "./contract.ts";
import type { LinkedState } from "./devices.ts";
import type { OpenLink } from "./delivery.ts";
import type { PhoneState } from "./phones.ts";
import { node, SERVER } from "./wire.ts";
import type { WireNode } from "./wire.ts";
import type { World } from "./world.ts";

/** The device is nobody's from now on: its client is told, mostly by a 401, and a login of it is refused. */
export function unlink(
  world: World,
  phone: PhoneState,
  { linked, reason, code = "401" }: { linked: LinkedState; reason: string; code?: string | null },
): void {
  phone.linked = phone.linked.filter((other) => other !== linked);
  const open = world.delivery.openLink(linked);
  open?.link.send(
    node("stream:error", { code: code ?? undefined }, [
      node("conflict", { type: "device_removed" }),
    ]),
  );
  open?.link.end(reason);
  world.changes.emit({ type: "unlinked", phone: phone.number, device: linked.id });
  world.touch();
}

/** Ends an open connection; the device stays linked. */
export function endLink({ link }: OpenLink, ending: Ending): void {
  if (ending.by === "reset") return link.reset("reset");
  link.send(goodbye(ending));
  link.end(ending.by);
}

function goodbye(ending: Exclude<Ending, { by: "reset" }>): WireNode {
  switch (ending.by) {
    case "stream_end":
      return node("xmlstreamend");
    case "replaced":
      return node("stream:error", {}, [node("conflict", { type: "replaced" })]);
    case "downgrade":
      return node("ib", { from: SERVER }, [node("downgrade_webclient")]);
    case "stream_error":
      return node("stream:error", { code: String(ending.code) });
  }
}
