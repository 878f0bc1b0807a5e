// Every command by its name.
import type { Command } from "../command.ts";
import { connectionAdd } from "./connection-add.ts";
import { connectionPair } from "./connection-pair.ts";
import { connectionCommands } from "./connection.ts";
import { doctor } from "./doctor.ts";
import { keyCommands } from "./key.ts";
import { listen } from "./listen.ts";
import { messageCommands } from "./message.ts";
import { status } from "./status.ts";
import { storeCommands } from "./store.ts";

export const commands: ReadonlyMap<string, Command> = new Map<string, Command>([
  ...Object.entries(storeCommands),
  ...Object.entries(keyCommands),
  ["connection add", connectionAdd],
  ["connection pair", connectionPair],
  ...Object.entries(connectionCommands),
  ...Object.entries(messageCommands),
  ["listen", listen],
  ["status", status],
  ["doctor", doctor],
]);
