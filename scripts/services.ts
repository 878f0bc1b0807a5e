// `npm run -s services`: every app as its own process, by environment only, as pods run them.
import { runMain } from "@thikaa/runtime";
import { readConfig } from "./services/config.ts";
import { startServices } from "./services/start.ts";

const say = (line: string) => process.stdout.write(`${line}\n`);

await runMain({
  readConfig: () => readConfig(),
  stopWithinMs: 15_000,
  start: async (config) => {
    const services = await startServices(config, {
      say,
      output: (name, text) => process.stderr.write(text.replaceAll(/^(?=.)/gm, `${name} | `)),
    });
    say(
      `Messaging API: ${services
        .of("gateway")
        .map(({ url }) => `${url}/{store}/api/messaging`)
        .join("  ")}`,
    );
    say(
      `Console and admin API: ${services
        .of("console")
        .map(({ url }) => url)
        .join("  ")}`,
    );
    const [simulator] = services.of("simulator");
    if (simulator !== undefined) say(`The phone: ${simulator.url}/simulator`);
    return { name: "services", ready: () => true, stop: () => services.stop() };
  },
});
