// The media store of the services as a process of its own: an S3 stand-in over a folder that outlasts it.
import { runMain } from "@thikaa/runtime";
import { startS3StandIn } from "@thikaa/stand-ins";
import { readMediaStoreConfig } from "./config.ts";

await runMain({
  readConfig: () => readMediaStoreConfig(),
  start: async (config) => {
    const standIn = await startS3StandIn(config);
    process.send?.("ready");
    return { name: "media-store", ready: () => true, stop: () => standIn.close() };
  },
});
