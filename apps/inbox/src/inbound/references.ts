// What messages refer to: the provider's ids of other messages become ours, and places under a message become its buttons.
import { findButtons, findReferred } from "@thikaa/db";
import type { ProviderReference, Queryable } from "@thikaa/db";
import { toWireId } from "@thikaa/schema";
import { addressOf } from "./new-message.ts";
import type { NewMessage } from "./new-message.ts";

/** As events tell them: ids on the wire, `null` where we know no such message. */
export interface References {
  readonly replyTo: string | null;
  readonly refersTo: string | null;
  readonly button: { readonly id: string; readonly title: string | null } | null;
}

/** In the order given. Messages of the same transaction are found too, once they are written. */
export async function resolveReferences(
  transaction: Queryable,
  items: readonly NewMessage[],
): Promise<References[]> {
  const wanted = items.flatMap((item) => [
    referenceOf(item, item.said.reply_to),
    referenceOf(item, changedMessage(item)),
  ]);
  const asked = wanted.filter((reference) => reference !== null);
  const found = (await findReferred(transaction, asked)).values();
  const ids = wanted.map((reference) => {
    const id = reference === null ? null : (found.next().value ?? null);
    return id === null ? null : toWireId("message", id);
  });
  const buttons = await readButtons(transaction, items);
  return items.map((item, index) => ({
    replyTo: ids[2 * index] ?? null,
    refersTo: ids[2 * index + 1] ?? null,
    button: buttonOf(item, buttons),
  }));
}

function referenceOf({ row, said }: NewMessage, id: string | null): ProviderReference | null {
  return id === null
    ? null
    : { connectionId: row.connection_id, address: addressOf(said), providerMessageId: id };
}

/** The message that another one edits, deletes or reacts to, in the provider's words. */
function changedMessage({ said }: NewMessage): string | null {
  if (said.type === "reaction") return said.reaction?.provider_message_id ?? null;
  if (said.kind === "own") return said.refers_to;
  return said.type === "edit" || said.type === "delete" ? said.provider_message_id : null;
}

type Buttons = Awaited<ReturnType<typeof findButtons>>;

async function readButtons(transaction: Queryable, items: readonly NewMessage[]): Promise<Buttons> {
  return findButtons(
    transaction,
    items.flatMap(({ row, said }) =>
      said.kind === "own" || said.button?.of === undefined
        ? []
        : [{ storeId: row.store_id, messageId: said.button.of.message_id }],
    ),
  );
}

/** A button that the provider could not name is looked up under its message, if that one was sent to this person. */
function buttonOf({ said }: NewMessage, known: Buttons): References["button"] {
  if (said.kind === "own" || said.button === null) return null;
  const { id, title, of } = said.button;
  const under = of === undefined ? undefined : known.get(of.message_id);
  const own = under?.address === said.from ? under.buttons[of?.place ?? 0] : undefined;
  return { id: own?.id ?? id, title: title ?? own?.title ?? null };
}
