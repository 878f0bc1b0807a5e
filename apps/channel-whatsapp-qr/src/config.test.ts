// The settings of this app: outside production a stand-in may be named, in production only WhatsApp itself.
import { newMasterKey } from "@thikaa/vault";
import { describe, expect, test } from "vitest";
import { readConfig } from "./config.ts";
import { credentials, expectedNumber, sendingSettings } from "./credentials.ts";

const usual = {
  DATABASE_URL: "postgres://a:b@127.0.0.1:5432/c",
  NATS_URL: "nats://127.0.0.1:4222",
  THIKAA_MASTER_KEY: newMasterKey(),
  MEDIA_STORE_URL: "file:///var/media",
};

describe("WHATSAPP_WEB_URL", () => {
  test("is WhatsApp's own server unless another one is named", () => {
    expect(readConfig(usual).baseUrls).toEqual({ live: "wss://web.whatsapp.com", sandbox: null });
    const standIn = "http://127.0.0.1:5353";
    expect(readConfig({ ...usual, WHATSAPP_WEB_URL: standIn }).baseUrls.live).toBe(standIn);
  });

  test.each([
    ["WHATSAPP_WEB_URL", "wss://web.whatsapp.example"],
    ["WHATSAPP_WEB_URL", "ws://web.whatsapp.com"],
    ["WHATSAPP_WEB_SANDBOX_URL", "http://127.0.0.1:5353"],
  ])("%s as %s is refused in production", (name, url) => {
    const production = { ...usual, THIKAA_ENV: "production" };
    expect(() => readConfig({ ...production, [name]: url })).toThrow(name);
    expect(() =>
      readConfig({ ...production, WHATSAPP_WEB_URL: "wss://web.whatsapp.com" }),
    ).not.toThrow();
  });

  test("is an address of a server", () => {
    expect(() => readConfig({ ...usual, WHATSAPP_WEB_URL: "web.whatsapp.com" })).toThrow(
      "WHATSAPP_WEB_URL",
    );
  });
});

describe("what a store says of its phone", () => {
  test("nothing is asked for; what is left out is careful", () => {
    const values = credentials.values.parse({});
    expect(sendingSettings(values)).toEqual({
      paceMs: { min: 3_000, max: 10_000 },
      dailyFirstContacts: 20,
    });
    expect(expectedNumber(values)).toBeNull();
    expect(credentials.values.parse({ phone: "", pace_min_ms: "" })).toEqual(values);
  });

  test("0 turns each off, and the shortest pause is never longer than the longest", () => {
    const off = { pace_min_ms: "3000", pace_max_ms: "0", daily_first_contacts: "0" };
    expect(sendingSettings(credentials.values.parse(off))).toEqual({
      paceMs: { min: 0, max: 0 },
      dailyFirstContacts: 0,
    });
  });

  test("a shortest pause above the longest is kept, and pauses still differ", () => {
    const { paceMs } = sendingSettings(credentials.values.parse({ pace_min_ms: "20000" }));
    expect(paceMs).toEqual({ min: 20_000, max: 30_000 });
  });

  test("a number is read as people write it", () => {
    const values = credentials.values.parse({ phone: "+964 (770) 000-0001" });
    expect(expectedNumber(values)).toBe("9647700000001");
  });

  test.each([
    ["phone", "0770 000 0001"],
    ["phone", "call me"],
    ["pace_min_ms", "-1"],
    ["pace_max_ms", "3.5"],
    ["daily_first_contacts", "many"],
    ["pace_max_ms", "999999"],
  ])("%s can't be %s", (field, value) => {
    expect(credentials.values.safeParse({ [field]: value }).success).toBe(false);
  });
});
