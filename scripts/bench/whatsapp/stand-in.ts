// WhatsApp's server and everybody's phones, in a process of their own.
import { startWhatsAppWebStandIn } from "@thikaa/stand-ins";
import { z } from "zod";
import { answerQuestions } from "./child.ts";
import { inFlight } from "./in-flight.ts";

const standIn = await startWhatsAppWebStandIn({ phones: [] });
const customers = new Set<string>();
/** Messages that a customer's phone could read. */
let delivered = 0;
let listeners: (() => void)[] = [];

standIn.onChange((change) => {
  if (change.type !== "message" || !customers.has(change.phone)) return;
  if (change.message.from === change.phone || change.message.content === null) return;
  delivered += 1;
  for (const listener of listeners) listener();
});

const people = z.object({ numbers: z.array(z.string()), areCustomers: z.boolean() });
const until = z.object({ delivered: z.number() });
const say = z.object({ from: z.array(z.string()), to: z.string(), count: z.number() });

answerQuestions({
  where: () => ({ url: standIn.url, socketUrl: standIn.socketUrl }),
  people(question) {
    const { numbers, areCustomers } = people.parse(question);
    for (const number of numbers) {
      standIn.addPhone({ number });
      if (areCustomers) customers.add(number);
    }
  },
  scan: (question) =>
    standIn.scan(z.object({ phone: z.string(), qr: z.string() }).parse(question)).then(() => null),
  delivered: () => delivered,
  /** Answered when so many messages have been delivered in all. */
  until(question) {
    const wanted = until.parse(question).delivered;
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = () => {
      if (delivered < wanted) return;
      listeners = listeners.filter((listener) => listener !== look);
      resolve();
    };
    listeners.push(look);
    look();
    return promise;
  },
  /** Customers write to a shop, one after the other each. */
  async say(question) {
    const { from, to, count } = say.parse(question);
    await inFlight(count, from.length, (n) => {
      const text = `مرحبا ${n}`;
      return standIn.send({
        from: from[n % from.length] ?? "",
        to,
        content: { kind: "text", text },
      });
    });
  },
});
