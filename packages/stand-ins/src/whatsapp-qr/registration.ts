// What a client tells of itself when it comes to be paired.
import { proto } from "@whiskeysockets/baileys";
import type { LinkedState } from "./devices.ts";
import type { Introduction } from "./noise.ts";
import { numberOf } from "./wire.ts";

/** What the server keeps of a client before it has a phone. */
export type Registration = Pick<
  LinkedState,
  "platform" | "registrationId" | "noisePublic" | "identityPublic" | "signedPreKey"
>;

/** Throws when the client leaves something out. */
export function registrationOf({ noisePublic, payload }: Introduction): Registration {
  const data = payload.devicePairingData;
  if (!data?.eIdent || !data.eRegid || !data.eSkeyVal || !data.eSkeyId || !data.eSkeySig)
    throw new Error("The client's registration is not complete.");
  const { os, platformType } = proto.DeviceProps.decode(data.deviceProps ?? Buffer.alloc(0));
  return {
    platform: `${os ?? ""}, ${proto.DeviceProps.PlatformType[platformType ?? 0]}`,
    registrationId: numberOf(data.eRegid),
    noisePublic,
    identityPublic: Buffer.from(data.eIdent),
    signedPreKey: {
      keyId: numberOf(data.eSkeyId),
      publicKey: Buffer.from(data.eSkeyVal),
      signature: Buffer.from(data.eSkeySig),
    },
  };
}
