// Starts a WhatsApp Web server of our own, and offers what a test or a phone does with it.
import type { RequestListener } from "node:http";
import { WebSocketServer } from "ws";
import { createClock } from "../clock.ts";
import { createCertificate } from "./certificate.ts";
import { Companion } from "./companion.ts";
import type { WhatsAppWebStandIn, WhatsAppWebStandInOptions } from "./contract.ts";
import { answerControl, CONTROL_PATH } from "./control.ts";
import { createWorld } from "./create-world.ts";
import { Link } from "./link.ts";
import { answerMedia, isMediaPath } from "./media-http.ts";
import {
  addGroup,
  addPhone,
  describePhone,
  disconnect,
  enterCode,
  forgetSessions,
  read,
  reinstall,
  scan,
  setPhone,
  settled,
  type,
  unlinkDevices,
} from "./phone-actions.ts";
import { ZAINAB } from "./phones.ts";
import { openPort } from "./port.ts";
import type { Port } from "./port.ts";
import { sendMessage } from "./sending.ts";
import type { World } from "./world.ts";

const SOCKET_PATH = "/ws/chat";
/** A frame's three bytes of length hold 16 MB. */
const LARGEST_PACKET = 2 ** 24 + 3;

interface Running {
  clock: ReturnType<typeof createClock>;
  certificate: string;
  sockets: WebSocketServer;
  port: Port;
  keep: () => void;
}

/** As `startWhatsAppWebStandIn`, which loads this file and with it Baileys. */
export async function start(options: WhatsAppWebStandInOptions): Promise<WhatsAppWebStandIn> {
  const { host = "127.0.0.1", port: wanted = 0, log = () => {} } = options;
  const clock = createClock();
  let authority = "";
  const { world, keep } = createWorld({
    clock,
    log,
    stateFile: options.stateFile,
    authority: () => authority,
  });
  for (const phone of options.phones ?? [ZAINAB]) world.phones.add(phone);
  const sockets = new WebSocketServer({ noServer: true, maxPayload: LARGEST_PACKET });
  const certificate = createCertificate(new Date());
  let answer: RequestListener = (_request, response) => response.writeHead(503).end();
  const port = await openPort({
    host,
    port: wanted,
    certificate,
    request: (request, response) => answer(request, response),
    upgrade: (request, socket, head) => {
      if (new URL(request.url ?? "/", "http://stand-in").pathname !== SOCKET_PATH)
        return socket.destroy();
      sockets.handleUpgrade(request, socket, head, (webSocket) => {
        new Link(webSocket, { trust: world.trust, owner: new Companion(world) });
      });
    },
  });
  authority = port.authority;
  const running = { clock, certificate: certificate.certificate, sockets, port, keep };
  const standIn = createHandle(world, running);
  answer = createListener(world, standIn);
  return standIn;
}

function createListener(world: World, standIn: WhatsAppWebStandIn): RequestListener {
  return (request, response) => {
    const path = request.url ?? "/";
    const answered = path.startsWith(CONTROL_PATH)
      ? answerControl(standIn, request, response)
      : isMediaPath(path)
        ? answerMedia(world, request, response)
        : Promise.resolve(response.writeHead(404).end());
    answered.catch((error: unknown) => {
      world.log(`failed: ${String(error)}`);
      response.destroy();
    });
  };
}

function createHandle(world: World, running: Running): WhatsAppWebStandIn {
  const { phones, chats, record, faults, changes } = world;
  const { authority } = running.port;
  return {
    url: `http://${authority}`,
    socketUrl: `ws://${authority}${SOCKET_PATH}`,
    rootPublicKey: world.trust.root.public,
    certificate: running.certificate,
    clock: running.clock,
    faults,
    record,
    addPhone: (phone) => addPhone(world, phone),
    phones: () => phones.all().map((phone) => describePhone(world, phone)),
    phone: (number) => describePhone(world, phones.phone(number)),
    setPhone: (number, settings) => setPhone(world, number, settings),
    scan: (scanned) => scan(world, scanned),
    enterCode: (entered) => enterCode(world, entered),
    refreshPairing: (qr) => world.pairing.refresh(qr),
    expireCodes: () => world.pairing.expire(),
    unlink: (which) => unlinkDevices(world, which),
    disconnect: (which) => disconnect(world, which),
    send: (message) => sendMessage(world, message),
    read: (what) => read(world, what),
    type: (typing) => type(world, typing),
    forgetSessions: (between) => forgetSessions(world, between),
    reinstall: (number) => reinstall(world, number),
    settled: (number, withinMs) => settled(world, number, withinMs),
    addGroup: (group) => addGroup(world, group),
    messages: (phone, chat) => chats.list(phone, chat),
    media: (_phone, messageId) => world.media.ofMessage(messageId),
    onChange: (listener) => changes.listen(listener),
    close: () => shut(world, running),
  };
}

async function shut(world: World, running: Running): Promise<void> {
  for (const { link } of world.delivery.openLinks()) link.end("closing");
  running.keep();
  running.clock.stop();
  running.sockets.close();
  await running.port.close();
}
