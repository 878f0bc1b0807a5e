// Judges the features that a channel's capabilities name: plan carries what was asked for, and the open connection can do the rest.
import type { ConnectedAccount } from "@thikaa/connector-kit";
import { outboundContent } from "@thikaa/schema";
import type { Capabilities, Feature, OutboundContent } from "@thikaa/schema";
import type { ConnectorHarness } from "../harness.ts";
import { demand } from "../rule.ts";

/** A mark in the content that must stand somewhere in the plan: what is not in it can't be sent. */
interface Marked {
  readonly content: Partial<OutboundContent>;
  readonly mark: string;
}

const earlier = "01900000-0000-7000-8000-00000000cafe";

const contents: Readonly<Record<Exclude<Feature, "typing">, Marked>> = {
  location: {
    content: {
      location: { latitude: 33.3152, longitude: 44.3661, name: null, address: null },
    },
    mark: "33.3152",
  },
  contact: {
    content: { contact: { name: "Amina", phones: ["9647700000001"] } },
    mark: "9647700000001",
  },
  buttons: {
    content: { text: "Agreed?", buttons: [{ title: "Agreed and signed", id: "yes" }] },
    mark: "Agreed and signed",
  },
  reply: { content: { text: "Yes.", reply_to: earlier }, mark: earlier },
  edit: {
    content: { text: "Mended.", change: { kind: "edit", message_id: earlier } },
    mark: earlier,
  },
  delete: { content: { change: { kind: "delete", message_id: earlier } }, mark: earlier },
  reactions: {
    content: { change: { kind: "react", message_id: earlier, emoji: "👍" } },
    mark: "👍",
  },
  read: {
    content: { change: { kind: "read", message_id: earlier, provider_message_ids: ["read-18"] } },
    mark: "read-18",
  },
};

/** What plan is given for each feature that the capabilities name. */
export function featureContents({ features = [] }: Capabilities): OutboundContent[] {
  return features
    .filter((feature) => feature !== "typing")
    .map((feature) => outboundContent.parse({ ...nothing, ...contents[feature].content }));
}

/** Throws `BrokenRule` where the capabilities name what plan leaves out. */
export function checkPlannedFeatures(
  { connector }: ConnectorHarness,
  { features = [] }: Capabilities,
): void {
  for (const feature of features) {
    if (feature === "typing") continue;
    const { content, mark } = contents[feature];
    const parts = connector.plan({
      to: "recipient",
      content: outboundContent.parse({ ...nothing, ...content }),
      messageId: "01900000-0000-7000-8000-00000000beef",
    });
    demand(
      JSON.stringify(parts).includes(mark),
      `Capabilities name the feature '${feature}', but plan leaves it out of the parts.`,
    );
  }
}

/** Throws `BrokenRule` where the capabilities and the facets of an open connection contradict each other. */
export function checkTyping({ features = [] }: Capabilities, account: ConnectedAccount): void {
  demand(
    features.includes("typing") === (account.typing !== undefined),
    "Capabilities name the feature 'typing' exactly when the open connection has the typing facet.",
  );
}

const nothing = { text: null, media: null };
