// `npm start`: starts the whole house and says where it is.
import { runMain } from "@thikaa/runtime";
import { banner } from "./banner.ts";
import { readConfig } from "./config.ts";
import { start } from "./start.ts";

const progress = (line: string) => process.stderr.write(`▸ ${line}\n`);

await runMain({
  readConfig,
  start: async (config) => {
    const begun = performance.now();
    const house = await start(config, progress);
    process.stdout.write(
      banner({ url: house.url, config, seconds: (performance.now() - begun) / 1000 }),
    );
    return house;
  },
});
