// Starts a Telegram Bot API server of our own, and offers what a test or a phone does with it.
import { createServer } from "node:http";
import type { Server } from "node:http";
import { createClock } from "../clock.ts";
import { ApiError, unauthorized } from "./api-error.ts";
import { answerBotApi, runUnanswered } from "./bot-api.ts";
import type { BotApiHost } from "./bot-api.ts";
import { argumentsOf } from "./call-arguments.ts";
import { Changes } from "./changes.ts";
import type { BotSummary, TelegramStandIn, TelegramStandInOptions } from "./contract.ts";
import { answerControl } from "./control.ts";
import { Faults } from "./faults.ts";
import { FloodControl } from "./flood.ts";
import { answerFileDownload } from "./file-download.ts";
import {
  personBlocks,
  personEdits,
  personPresses,
  personSays,
  personSendsFile,
  personStarts,
} from "./people-actions.ts";
import {
  addPlace,
  connectBusiness,
  deletesInBusiness,
  editsInBusiness,
  editsInChannel,
  opensTopic,
  postsInChannel,
  saysInGroup,
  saysToBusiness,
} from "./other-chats.ts";
import {
  personReacts,
  personSendsAlbum,
  personSendsCard,
  personSendsOther,
  personSendsPlace,
} from "./people-content.ts";
import { CallRecord } from "./record.ts";
import { TelegramState } from "./state.ts";
import type { Bot } from "./state.ts";

/** As the proxy in front of the real server: longer than any client keeps a connection idle. */
const KEEP_ALIVE_MS = 75_000;

/** Starts the server; resolves when it listens. Rejects when the port is taken. */
export async function startTelegramStandIn(
  options: TelegramStandInOptions = {},
): Promise<TelegramStandIn> {
  const { host = "127.0.0.1", port = 0, bots = [], people = [], log = () => {} } = options;
  const clock = createClock();
  const parts = createParts(clock, options);
  for (const person of people) parts.state.people.set(person.id, { ...person });
  for (const bot of bots) parts.state.addBot(bot);
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS });
  const url = await listen(server, { host, port });
  const standIn = createHandle(parts, { url, clock, server });
  server.on("request", (request, response) => {
    const path = request.url ?? "/";
    const isControl = path.startsWith("/stand-in/telegram/");
    response.on("finish", () =>
      log(
        `${request.method} ${isControl ? path : path.replace(/bot[^/]*/, "bot…")} ${response.statusCode}`,
      ),
    );
    const answer = isControl
      ? answerControl(standIn, request, response)
      : path.startsWith("/file/")
        ? answerFileDownload(parts, request, response)
        : answerBotApi(parts, request, response);
    answer.catch((error: unknown) => {
      log(`failed: ${String(error)}`);
      response.destroy();
    });
  });
  return standIn;
}

function createParts(
  clock: ReturnType<typeof createClock>,
  { firstNumber, floodControl = false }: TelegramStandInOptions,
): BotApiHost {
  const record = new CallRecord();
  const state: TelegramState = new TelegramState({
    clock,
    // Every bot and every chat starts at the same number: code that forgets either in a key is caught.
    firstUpdateId: firstNumber ?? 100_001,
    firstMessageId: firstNumber ?? 1,
    changes: new Changes(),
    webhookAttempted: (bot, attempt) => record.attempted(bot.id, attempt),
    execute: (bot, method, parameters) =>
      void runUnanswered(parts, bot, { method, callArguments: argumentsOf(parameters) }),
  });
  const flood = floodControl ? new FloodControl(clock) : null;
  const parts: BotApiHost = { state, faults: new Faults(), record, flood, revoke };
  return parts;
}

function revoke(bot: Bot): void {
  bot.revoked = true;
  bot.webhook.close();
  bot.poller.fail(unauthorized());
}

function createHandle(
  parts: BotApiHost,
  running: { url: string; clock: ReturnType<typeof createClock>; server: Server },
): TelegramStandIn {
  const { state, faults, record } = parts;
  return {
    url: running.url,
    clock: running.clock,
    faults,
    record,
    addBot(bot = {}) {
      const added = state.addBot(bot);
      return { ...summary(added), token: added.token };
    },
    revokeToken: (botId) => revoke(state.bot(botId)),
    bots: () => [...state.bots.values()].map(summary),
    addPerson: (person) => void state.people.set(person.id, { ...person }),
    people: () => [...state.people.values()],
    openChat: ({ personId, botId }) => void state.openChat(botId, personId),
    personSays: (said) => personSays(state, said),
    personSendsFile: (sent) => personSendsFile(state, sent),
    personSendsPlace: (sent) => personSendsPlace(state, sent),
    personSendsCard: (sent) => personSendsCard(state, sent),
    personSendsAlbum: (sent) => personSendsAlbum(state, sent),
    personSendsOther: (sent) => personSendsOther(state, sent),
    personReacts: (reaction) => personReacts(state, reaction),
    addGroup: (group) => addPlace(state, { ...group, kind: "supergroup" }),
    saysInGroup: (said) => saysInGroup(state, said),
    opensTopic: (topic) => opensTopic(state, topic),
    addChannel: (channel) => addPlace(state, { ...channel, kind: "channel" }),
    postsInChannel: (post) => postsInChannel(state, post),
    editsInChannel: (edit) => editsInChannel(state, edit),
    connectBusiness: (connection) => connectBusiness(state, connection),
    saysToBusiness: (said) => saysToBusiness(state, said),
    editsInBusiness: (edit) => editsInBusiness(state, edit),
    deletesInBusiness: (deletion) => deletesInBusiness(state, deletion),
    messagesOfBusiness: (businessId, personId) => [
      ...(state.businessChat(businessId, personId)?.messages.values() ?? []),
    ],
    file: (fileId) => state.files.find(fileId),
    personStarts: (who) => personStarts(state, who),
    personEdits: (edit) => personEdits(state, edit),
    personPresses: (press) => personPresses(state, press),
    personBlocks: (who) => personBlocks(state, who, true),
    personUnblocks: (who) => personBlocks(state, who, false),
    messagesWith: (personId, botId) => [...(state.chat(botId, personId)?.messages.values() ?? [])],
    isBlocked: (personId, botId) => state.chat(botId, personId)?.blocked ?? false,
    onMessage: (listener) =>
      state.changes.listen((change) => {
        if (change.type === "message")
          listener({ ...change.message, botId: change.botId, personId: change.personId });
      }),
    onChange: (listener) => state.changes.listen(listener),
    close: () => shut(state, running),
  };
}

async function shut(
  state: TelegramState,
  running: { clock: ReturnType<typeof createClock>; server: Server },
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  running.server.close(() => resolve());
  for (const bot of state.bots.values()) {
    bot.webhook.close();
    bot.poller.fail(new ApiError(500, "Internal Server Error: restart"));
  }
  running.clock.stop();
  // Answers just written get one turn of the loop to leave before their connections are cut.
  setImmediate(() => running.server.closeAllConnections());
  await promise;
}

function summary(bot: Bot): BotSummary {
  return { id: bot.id, name: bot.name, username: bot.username, revoked: bot.revoked };
}

function listen(server: Server, { host, port }: { host: string; port: number }): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  server.once("error", reject);
  // Hundreds of bots may begin to poll in one moment.
  server.listen({ port, host, backlog: 4_096 }, () => {
    server.off("error", reject);
    const address = server.address();
    const bound = typeof address === "object" && address !== null ? address.port : port;
    resolve(`http://${host.includes(":") ? `[${host}]` : host}:${bound}`);
  });
  return promise;
}
