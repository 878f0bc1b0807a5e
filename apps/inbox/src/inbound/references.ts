// What messages refer to: the provider's ids of other messages become ours, and places under a message become its buttons.
import { findButtons, findReferred } from "@thikaa/db";
import type { ProviderReference, Queryable } from "@thikaa/db";
import { toWireId } from "@thikaa/schema";
import type { InboundMessage } from "@thikaa/schema";

/** A message that came in, with its place. */
export interface ReferringItem {
  readonly store_id: string;
  readonly connection_id: string;
  readonly message: InboundMessage;
}

/** As events tell them: ids on the wire, `null` where we know no such message. */
export interface References {
  readonly replyTo: string | null;
  readonly refersTo: string | null;
  readonly button: { readonly id: string; readonly title: string | null } | null;
}

/** In the order given. Messages of the same transaction are found too, once they are written. */
export async function resolveReferences(
  transaction: Queryable,
  items: readonly ReferringItem[],
): Promise<References[]> {
  const wanted = items.flatMap((item) => [
    referenceOf(item, item.message.reply_to),
    referenceOf(item, changedMessage(item.message)),
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
    button: buttonOf(item.message, buttons),
  }));
}

function referenceOf(item: ReferringItem, id: string | null): ProviderReference | null {
  return id === null
    ? null
    : { connectionId: item.connection_id, address: item.message.from, providerMessageId: id };
}

/** The message that another one edits, deletes or reacts to, in the provider's words. */
function changedMessage({ type, provider_message_id, reaction }: InboundMessage): string | null {
  if (type === "edit" || type === "delete") return provider_message_id;
  return type === "reaction" ? (reaction?.provider_message_id ?? null) : null;
}

type Buttons = Awaited<ReturnType<typeof findButtons>>;

async function readButtons(
  transaction: Queryable,
  items: readonly ReferringItem[],
): Promise<Buttons> {
  return findButtons(
    transaction,
    items.flatMap(({ store_id: storeId, message: { button } }) =>
      button?.of === undefined ? [] : [{ storeId, messageId: button.of.message_id }],
    ),
  );
}

/** A button that the provider could not name is looked up under its message, if that one was sent to this person. */
function buttonOf({ button, from }: InboundMessage, known: Buttons): References["button"] {
  if (button === null) return null;
  const { id, title, of } = button;
  const under = of === undefined ? undefined : known.get(of.message_id);
  const own = under?.address === from ? under.buttons[of?.place ?? 0] : undefined;
  return { id: own?.id ?? id, title: title ?? own?.title ?? null };
}
