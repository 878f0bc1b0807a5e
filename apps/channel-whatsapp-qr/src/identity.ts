// A linked phone as the house shows it.
import type { IdentifiedAccount } from "@thikaa/connector-kit";
import type { AuthState } from "./platform/auth-state.ts";

export function identityOf(auth: Pick<AuthState, "number" | "name">): IdentifiedAccount {
  const number = auth.number ?? "";
  return { address: number, name: auth.name ?? `+${number}`, link: `https://wa.me/${number}` };
}
