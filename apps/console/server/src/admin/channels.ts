// The channels of this house: what each can carry and which credentials it takes, as its app says.
import { readChannelDescriptions } from "@thikaa/db";
import { channelCodes, channels } from "@thikaa/schema";
import { ok } from "./route.ts";
import type { Route } from "./route.ts";

export const channelRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/channels",
    handle: async (house) => {
      const descriptions = await readChannelDescriptions(house.database);
      return ok({
        channels: channelCodes.map((code) => {
          const description = descriptions.get(code);
          return {
            channel: code,
            name: channels[code].name,
            available: description !== undefined,
            credentials: description?.credentials ?? [],
            capabilities: description?.capabilities ?? null,
            pairing: description?.pairing ?? null,
          };
        }),
      });
    },
  },
];
