// Pairing: a phone links this connection by a code that its owner scans or types.
import type { ConnectorContext, PairingDesk, PairingFacet } from "@thikaa/connector-kit";
import { expectedNumber } from "./credentials.ts";
import { linkDevice } from "./link-device.ts";
import { LinkedDevice } from "./linked-device.ts";
import { reasons } from "./reasons.ts";
import type { Timing } from "./timing.ts";

export function createPairing(timing: Timing): PairingFacet {
  return {
    description: {
      notice: {
        en: "This links WhatsApp as WhatsApp Web does, which is not an official way for businesses. WhatsApp may restrict or ban a number that sends like a machine.",
        ar: "يربط هذا واتساب كما يفعل واتساب ويب، وهي طريقة غير رسمية للأعمال. قد يقيّد واتساب أو يحظر رقمًا يرسل كالآلة.",
      },
      scanSteps: [
        {
          en: "Open WhatsApp on the phone that belongs to this connection.",
          ar: "افتح واتساب على الهاتف الذي يعود إلى هذا الاتصال.",
        },
        {
          en: "On Android tap ⋮, on iPhone tap Settings, then Linked devices.",
          ar: "في أندرويد اضغط ⋮ وفي آيفون اضغط الإعدادات، ثم الأجهزة المرتبطة.",
        },
        { en: "Tap Link a device and scan this code.", ar: "اضغط ربط جهاز وامسح هذا الرمز." },
      ],
      typeSteps: [
        {
          en: "On that phone open WhatsApp, Linked devices, Link a device.",
          ar: "على ذلك الهاتف افتح واتساب ثم الأجهزة المرتبطة ثم ربط جهاز.",
        },
        {
          en: "Tap Link with phone number instead and type this code.",
          ar: "اضغط الربط برقم الهاتف بدلًا من ذلك واكتب هذا الرمز.",
        },
      ],
      reasons,
    },
    pair: (context, desk) => pair(context, desk, timing),
  };
}

async function pair(context: ConnectorContext, desk: PairingDesk, timing: Timing): Promise<void> {
  const device = await LinkedDevice.load(context);
  await device.pairedAnew();
  const auth = await device.auth(() => undefined);
  if (auth.isPaired) return;
  const expected = expectedNumber(context.credentials.values);
  await linkDevice({ context, device, timing, expected }, desk);
}
