// WhatsApp refuses a message on its own wire: what is paused, who may still be written to, and what the next owner of the phone knows of it.
import { waitFor } from "@thikaa/testkit";
import { afterEach, expect, test } from "vitest";
import { Linked, mai, shop, zainab } from "../fixtures/linked.ts";

let linked: Linked;
afterEach(() => linked.close());

/** As the host does once it has said that the connection is open. */
function hostPolls(signal: AbortSignal): void {
  void linked.account.polling?.poll(signal);
}

test("463 pauses people who never wrote, here and for the next owner, who says so", async () => {
  linked = await Linked.open();
  const life = new AbortController();
  linked.standIn.faults.add({ kind: "refuse_message", error: 463, phone: shop });
  expect(await linked.send(mai, "who are you?")).toMatchObject({
    class: "rejected",
    reason: { provider_code: "463" },
  });
  expect(linked.context.reports.at(-1)?.state).toBe("limited");
  await linked.says(zainab, "hello");
  await linked.untilTexts(["hello"]);
  await linked.reopen();
  const said = linked.context.reports.length;
  hostPolls(life.signal);
  await waitFor(() => linked.context.reports.slice(said).at(-1)?.state === "limited", {
    what: "the pause to be said again",
  });
  expect(await linked.send(zainab, "hello to you")).toMatchObject({ class: "sent" });
  expect(await linked.send("9647700000055", "hello?")).toMatchObject({ class: "rejected" });
  linked.standIn.addPhone({ number: "9647700000056" });
  expect(await linked.send("9647700000056", "hello?")).toMatchObject({
    class: "throttled",
    scope: "recipient",
    reason: { code: "first_contacts_paused" },
  });
  life.abort();
});

test.each([429, 403])("%d pauses everything, here and for the next owner", async (error) => {
  linked = await Linked.open();
  linked.standIn.faults.add({ kind: "refuse_message", error, phone: shop });
  const paused = { class: "throttled", scope: "connection" };
  expect(await linked.send(zainab, "too much")).toMatchObject(paused);
  await linked.reopen();
  expect(await linked.send(mai, "once more")).toMatchObject({
    ...paused,
    reason: { code: "sending_paused" },
  });
  expect(linked.shownBy(mai)).toEqual([]);
});
