// What a channel's app gives to the conformance suite: its connector, its stand-in, and how things happen there.
import type { RequestListener } from "node:http";
import type { Connector, CredentialValues, ShownCode } from "@thikaa/connector-kit";
import type { ChannelCode, OutcomeClass } from "@thikaa/schema";

/** A channel as the suite holds it. */
export interface ConnectorHarness {
  readonly connector: Connector;
  readonly channel: ChannelCode;
  /** Whether updates are fetched, or come over a socket, where the provider can't reach us; `false` when they are only ever posted. */
  readonly worksUnreached: boolean;
  /**
   * The app's own `start`, with a log that writes each line to `write` at the level `debug`. The suite starts, stops and
   * starts it again, as a pod is.
   */
  start(settings: AppSettings, write: (line: string) => void): Promise<RunningApp>;
  /** The package `@thikaa/vault`, whole: the suite makes connections as an owner's form does. */
  readonly vault: SealingTools;
  /** A stand-in of its own for the rules of one ground. */
  openProvider(): Promise<ProviderHarness>;
  /** How phones are linked; only for a connector with the pairing facet, whose own `connector` may pair by itself then. */
  readonly pairing?: PairingHarness;
  /** One posted body with messages to several accounts, named by their addresses, and what proves it; absent where the provider never does that. */
  readonly mixed?: (said: readonly MixedMessage[]) => {
    readonly body: string;
    readonly headers: Readonly<Record<string, string>>;
  };
}

export interface PairingHarness {
  /** As the app has it: nobody pairs but who is asked to. */
  readonly connector: Connector;
  /** The same, with codes that pass so fast that all of them are over within seconds. */
  readonly hurried: Connector;
}

export interface MixedMessage {
  readonly address: string;
  readonly person: string;
  readonly text: string;
}

/** The settings that every channel's app has. */
export interface AppSettings {
  readonly environment: "development";
  readonly databaseUrl: string;
  readonly natsUrl: string;
  readonly namespace: string;
  readonly masterKey: string;
  readonly mediaStoreUrl: string;
  readonly webhookBase: string | null;
  readonly baseUrls: { readonly live: string; readonly sandbox: null };
  readonly http: null;
  readonly logLevel: "debug";
}

/** What `start` gives. */
export interface RunningApp {
  readonly handle?: RequestListener;
  stop(): Promise<void>;
}

export interface SealingTools {
  newMasterKey(): string;
  newToken(): string;
  readonly Vault: new (masterKey: string) => { seal(text: string, place: string): string };
  readonly places: {
    connectionCredentials(connectionId: string): string;
    connectionWebhookSecret(connectionId: string): string;
  };
}

/** A running stand-in. */
export interface ProviderHarness {
  /** Where it listens: the connection's base URL. */
  readonly url: string;
  /** Adds an account whom both its people have written, so that they may be written to. What that makes come in is no matter. */
  addAccount(): ProviderAccount;
  /** Credentials of the right shape that the provider refuses. Each secret field is a text that stands nowhere else. */
  readonly wrongCredentials: CredentialValues;
  close(): Promise<void>;
}

/** An account at the stand-in, with what happens to it. */
export interface ProviderAccount {
  readonly credentials: CredentialValues;
  /** What `identify` claims. */
  readonly address: string;
  /** Two people who may be written to, in the form of `to` and `from`. */
  readonly people: readonly [string, string];
  /** The person writes by the provider; each time a new message. */
  says(person: string, text: string): void;
  /** What the person has got from us, oldest first. */
  got(person: string): readonly { readonly text: string; readonly providerMessageId: string }[];
  /** The call after the next `accepted` ones is not taken, and the connector can know it: `unavailable`. */
  refuseAfter(accepted: number): void;
  /** Every way in which the provider fails a call, each with its class. All classes but `sent` and `poison` must be here. */
  readonly errors: readonly ProviderError[];
  readonly payloads: ProviderPayloads;
  readonly inlet: Inlet;
  /** The phone that a person links; where `ConnectorHarness.pairing` is. */
  readonly phone?: AccountPhone;
}

/** A phone as its owner holds it. */
export interface AccountPhone {
  /** Scans or types what is shown. Rejects when the provider takes that code no more. */
  use(shown: ShownCode): Promise<void>;
  /** How many devices the phone lists as linked. */
  links(): number;
}

export interface ProviderError {
  readonly name: string;
  readonly means: Exclude<OutcomeClass, "sent">;
  /** The next send meets it, and it alone. */
  provoke(): void;
}

/** Bodies as the provider sends them, for this account. */
export interface ProviderPayloads {
  /** A new message of a person: never the same item twice. */
  readonly message: (person: string, text: string) => string;
  /** Many new messages of one person in one body; absent where the provider never does that. */
  readonly batch?: (person: string, texts: readonly string[]) => string;
  /** A new message with a file that the stand-in has; absent where customers can't send files. */
  readonly file?: (person: string) => string;
  /** What the account itself wrote, on its own device or through us; empty where the provider does not tell. */
  readonly own: readonly OwnPayload[];
  /** What the provider reports of a message that the person got; absent where it reports nothing. */
  readonly receipt?: (about: {
    readonly person: string;
    readonly providerMessageId: string;
    readonly status: "delivered" | "read";
  }) => string;
  /** Of kinds that nobody knows yet, different ones. Bodies that are no JSON are the suite's own. */
  readonly unknown: readonly string[];
}

export interface OwnPayload {
  readonly body: string;
  /** Whom it was written to, in the form of `to`. */
  readonly to: string;
  readonly text: string;
  /** In the form in which an outcome names it. */
  readonly providerMessageId: string;
}

/** How a body reaches us: by a signed post, or by whatever the connection holds open (a poll, a socket). */
export type Inlet =
  | {
      readonly kind: "webhook";
      sign(body: string, secret: string): Readonly<Record<string, string>>;
    }
  | { readonly kind: "push"; push(body: string): void };
