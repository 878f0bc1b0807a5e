// Anything thrown while a connection is opened or polled, as a fault that can be shown.
import { isUnavailable } from "@thikaa/db";
import { Trouble } from "@thikaa/runtime";
import type { Log } from "@thikaa/runtime";
import { ConnectionFault } from "../faults.ts";

/** The fault itself; what a connector did not foresee is logged and tried again. */
export function toFault(error: unknown, log: Log): ConnectionFault {
  if (error instanceof ConnectionFault) return error;
  const unavailable = isUnavailable(error);
  if (unavailable) new Trouble(log, "connections could not be opened").failed(error);
  else log.error({ error }, "a connection met an error that its connector does not know");
  if (unavailable)
    return new ConnectionFault({
      state: "recovering",
      reason: {
        code: "database_unavailable",
        message: "The database can't be reached just now. It goes on by itself.",
      },
    });
  return new ConnectionFault({
    state: "recovering",
    reason: {
      code: "internal_error",
      message: "We failed to run this connection. It is tried again by itself; the log says more.",
    },
  });
}
