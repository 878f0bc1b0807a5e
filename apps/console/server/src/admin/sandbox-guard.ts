// Keeps the sandbox and the providers apart: a real credential never goes to a stand-in, and a stand-in's never to a provider.
import type { Store } from "@thikaa/db";
import { ApiError, channels } from "@thikaa/schema";
import type { ChannelCode } from "@thikaa/schema";

/** Throws `conflict`, with the commands to go on, when a connection is put into the wrong kind of store. */
export function checkSandbox(
  store: Store,
  request: {
    channel: ChannelCode;
    sandbox: boolean;
    credentials: Readonly<Record<string, string>>;
  },
): void {
  if (store.environment === "sandbox" && !request.sandbox)
    throw new ApiError("conflict", { message: describeWayOut(store.slug, request) });
  if (store.environment === "live" && request.sandbox)
    throw new ApiError("conflict", {
      message: `'${store.slug}' is a live store: it talks to the providers themselves. Leave 'sandbox' out.`,
    });
}

function describeWayOut(
  slug: string,
  { channel, credentials }: { channel: ChannelCode; credentials: Readonly<Record<string, string>> },
): string {
  const fields = Object.keys(credentials)
    .map((name) => ` --set ${name}=-`)
    .join("");
  return [
    `'${slug}' is the sandbox: it talks to the stand-ins on this machine only, and a real ${channels[channel].name.en} credential has no place in it. Make a store of your own:`,
    "  npm run -s thikaa -- store create my-shop --credits 100",
    `  npm run -s thikaa -- connection add ${channel} --store my-shop --name main${fields}`,
  ].join("\n");
}
