// The order of test files: those that take longest begin first, so that none of them runs on alone at the end.
import { BaseSequencer } from "vitest/node";
import type { TestSpecification } from "vitest/node";

/** Files that take a quarter of a minute and more, longest first but for one. In a fresh checkout vitest knows no times and goes by size, which says little of waiting. */
const longest = [
  "packages/testkit/src/conformance/conformance.test.ts",
  // It measures, so what runs beside it at first mostly waits.
  "apps/standalone/src/neighbours.test.ts",
  "apps/channel-telegram/src/faults.test.ts",
  "packages/runtime/src/worker.test.ts",
  "apps/standalone/src/lifecycle.test.ts",
  "apps/gateway/src/command-order.test.ts",
  "packages/connector-kit/src/host/host.test.ts",
  "apps/simulator/src/person.test.ts",
  "apps/simulator/src/page.test.ts",
  "apps/channel-whatsapp-qr/src/removal.test.ts",
  "apps/channel-whatsapp-qr/src/reconnect.test.ts",
  "apps/channel-telegram/src/mutated.test.ts",
  "apps/console/server/src/pair-page/browser.test.ts",
  "apps/channel-telegram/src/media-out.test.ts",
  "apps/channel-whatsapp-qr/src/contract.test.ts",
  "apps/simulator/src/whatsapp.test.ts",
  "apps/channel-telegram/src/isolation.test.ts",
  "apps/channel-whatsapp-qr/src/relink.test.ts",
  "apps/standalone/src/whatsapp-pairing.test.ts",
  "scripts/guides/add-a-channel.test.ts",
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const found = longest.findIndex((path) => moduleId.endsWith(path));
      return found < 0 ? longest.length : found;
    };
    return (await super.sort(files)).toSorted((left, right) => place(left) - place(right));
  }
}
