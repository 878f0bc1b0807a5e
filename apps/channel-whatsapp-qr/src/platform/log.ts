// Baileys' log lines in ours: the sentence of what went wrong, and nothing of what it was about.
import type { ConnectorLog } from "@thikaa/connector-kit";
import type { UserFacingSocketConfig } from "@whiskeysockets/baileys";

type Logger = NonNullable<UserFacingSocketConfig["logger"]>;

/** Also said when the server only asks for a new socket, as after each pairing; how a socket ended is told by us, with its code. */
const streamEnded = "stream errored out";

/** Baileys hands out keys, numbers and whole messages beside its sentences: none of that goes on. */
export function quietLogger(log: ConnectorLog): Logger {
  const say =
    (level: "debug" | "warn") =>
    (about: unknown, sentence?: string): void => {
      const said = sentence ?? (typeof about === "string" ? about : "");
      if (said !== "") log[level]({}, `WhatsApp Web: ${said.replaceAll(/\d{4,}|\S+@\S+/g, "…")}`);
    };
  const nothing = () => undefined;
  const logger: Logger = {
    level: "info",
    child: () => logger,
    trace: nothing,
    debug: nothing,
    info: nothing,
    warn: say("debug"),
    error: (about: unknown, sentence?: string) =>
      say(sentence === streamEnded ? "debug" : "warn")(about, sentence),
  };
  return logger;
}
