// Who a linked device is: its credentials and keys, as they are kept, and as a socket of Baileys takes them.
import { initAuthCreds } from "@whiskeysockets/baileys";
import type { AuthenticationCreds } from "@whiskeysockets/baileys";
import { lidJid, numberJid, personOf } from "../ids.ts";
import { KeyStore } from "./key-store.ts";
import type { KeyShelf } from "./key-store.ts";
import { readCredentials, writeText } from "./key-text.ts";

const credentialsName = "creds";

/** One for each socket: what it has read is not trusted after the socket's end. */
export class AuthState {
  readonly creds: AuthenticationCreds;
  readonly keys: KeyStore;
  readonly #prefix: string;
  #unsaved = false;

  private constructor(creds: AuthenticationCreds, { shelf, prefix, onFault }: AuthStateOptions) {
    this.creds = creds;
    this.#prefix = prefix;
    this.keys = new KeyStore({
      shelf,
      prefix,
      onFault,
      takeCredentials: () => this.#takeUnsaved(),
    });
  }

  /** Reads what is kept under this prefix; a new device when nothing is. */
  static async load(options: AuthStateOptions): Promise<AuthState> {
    const key = AuthState.credentialsKey(options.prefix);
    const text = (await options.shelf.get([key])).get(key);
    const creds = text === undefined ? initAuthCreds() : readCredentials(text);
    return new AuthState(creds, options);
  }

  /** Where the credentials of a pairing are kept. */
  static credentialsKey(prefix: string): string {
    return prefix + credentialsName;
  }

  /** Whether a phone has linked this device. A number alone is there as soon as a pairing code was asked for. */
  get isPaired(): boolean {
    return this.creds.me !== undefined && this.creds.account !== undefined;
  }

  /** The phone's number, once it is known. */
  get number(): string | null {
    return personOf(this.creds.me?.id)?.number ?? null;
  }

  /** Our own addresses, as they stand in messages. */
  get jids(): { readonly number: string | null; readonly lid: string | null } {
    const own = personOf(this.creds.me?.id, this.creds.me?.lid);
    return {
      number: own?.number == null ? null : numberJid(own.number),
      lid: own?.lid == null ? null : lidJid(own.lid),
    };
  }

  /** As the phone's owner calls themselves; `null` when WhatsApp has not told. */
  get name(): string | null {
    const name = this.creds.me?.name ?? "";
    return name === "" || name === "~" ? null : name;
  }

  /** Baileys changed the credentials: they are written soon, together with the keys that change with them. */
  credentialsChanged(): void {
    this.#unsaved = true;
    // A failure has ended the socket already.
    void this.save().catch(() => undefined);
  }

  /** Resolves when the credentials are kept as they are now. */
  async save(): Promise<void> {
    await this.keys.saveCredentials();
  }

  #takeUnsaved(): Readonly<Record<string, string>> | null {
    if (!this.#unsaved) return null;
    this.#unsaved = false;
    return { [AuthState.credentialsKey(this.#prefix)]: writeText(this.creds) };
  }
}

export interface AuthStateOptions {
  readonly shelf: KeyShelf;
  /** Begins the names of everything that belongs to this pairing. */
  readonly prefix: string;
  readonly onFault: (error: Error) => void;
}
