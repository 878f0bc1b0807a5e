// WhatsApp's refusals of a message, on its own protocol: what becomes of the message, and of what follows it.
import { afterEach, expect, test } from "vitest";
import { Linked, mai, shop, zainab } from "../fixtures/linked.ts";

let linked: Linked;
afterEach(() => linked.close());

const refuse = (error: number) =>
  void linked.standIn.faults.add({ kind: "refuse_message", error, phone: shop });

test.each([
  { error: 403, class: "throttled", code: "sending_forbidden" },
  { error: 429, class: "throttled", code: "provider_rate_limit" },
  { error: 463, class: "rejected", code: "first_contact_refused" },
  { error: 479, class: "unavailable", code: "recipient_changed" },
  { error: 500, class: "unavailable", code: "provider_unavailable" },
  { error: 503, class: "unavailable", code: "provider_unavailable" },
  { error: 499, class: "rejected", code: "provider_refused" },
])("$error is $class: $code, in words and with WhatsApp's number", async (expected) => {
  linked = await Linked.open();
  refuse(expected.error);
  expect(await linked.send(zainab, "refused")).toMatchObject({
    class: expected.class,
    reason: {
      code: expected.code,
      message: expect.stringMatching(/^[A-Z].*\.$/),
      provider_code: String(expected.error),
    },
  });
  expect(linked.shownBy(zainab)).toEqual([]);
  expect(linked.standIn.phone(shop).linked[0]?.connected).toBe(true);
});

test("after 463 new people wait and the connection says so; who wrote first is answered", async () => {
  linked = await Linked.open();
  await linked.says(zainab, "hello");
  await linked.untilTexts(["hello"]);
  refuse(463);
  expect(await linked.send(mai, "first")).toMatchObject({ class: "rejected" });
  expect(linked.context.reports.at(-1)).toMatchObject({
    state: "limited",
    reason: { code: "first_contact_refused" },
  });
  linked.standIn.addPhone({ number: "9647700000077" });
  expect(await linked.send("9647700000077", "first")).toMatchObject({
    class: "throttled",
    reason: { code: "first_contacts_paused" },
  });
  expect(await linked.send(zainab, "an answer")).toMatchObject({ class: "sent" });
});

test("after 479 the recipient's devices are asked for anew, and the message goes", async () => {
  linked = await Linked.open();
  const asked = () =>
    linked.standIn.record
      .entries({ kind: "query" })
      .filter(({ about }) => about.startsWith("usync")).length;
  expect(await linked.send(zainab, "one")).toMatchObject({ class: "sent" });
  const before = asked();
  expect(await linked.send(zainab, "two")).toMatchObject({ class: "sent" });
  expect(asked()).toBe(before);
  refuse(479);
  expect(await linked.send(zainab, "three")).toMatchObject({ class: "unavailable" });
  expect(await linked.send(zainab, "three")).toMatchObject({ class: "sent" });
  expect(asked()).toBe(before + 1);
  expect(linked.shownBy(zainab)).toEqual(["one", "two", "three"]);
});
