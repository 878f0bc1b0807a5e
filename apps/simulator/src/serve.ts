// The simulator on a server of its own, for `main.ts`.
import { serveHttp } from "@thikaa/runtime";
import type { Service } from "@thikaa/runtime";
import type { SimulatorProcessConfig } from "./config.ts";
import { start } from "./start.ts";

/** Starts the simulator and serves it on its own address; `/` leads to the page. Says both addresses on standard output. */
export async function serve(config: SimulatorProcessConfig): Promise<Service> {
  const simulator = await start(config);
  const server = await serveHttp(config.page, (request, response) => {
    if (request.url === "/") response.writeHead(302, { location: "/simulator" }).end();
    else simulator.handle(request, response);
  }).catch(async (error: unknown) => {
    await simulator.stop();
    throw error;
  });
  process.stdout.write(
    `The phone: ${server.url}/simulator\nTelegram's stand-in: ${simulator.telegram.url}\nWhatsApp's stand-in: ${simulator.whatsapp.url}\n`,
  );
  const stop = async (): Promise<void> => {
    await simulator.stop();
    await server.close();
  };
  return { name: simulator.name, handle: simulator.handle, ready: () => simulator.ready(), stop };
}
