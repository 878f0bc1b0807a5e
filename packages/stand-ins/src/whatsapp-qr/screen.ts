// Shows a message in its chat: as a new one, or as what it does to another.
import type { proto } from "@whiskeysockets/baileys";
import { isMedia } from "./content.ts";
import type { PhoneContent } from "./content.ts";
import { understand } from "./understand.ts";
import type { World } from "./world.ts";

/** A message on its way to the screens. `understood` null: nobody could decrypt it. */
export interface Shown {
  messageId: string;
  from: string;
  device: number;
  to: string;
  at: number;
  understood: proto.IMessage | null;
}

export function show(world: World, { understood, ...place }: Shown): void {
  if (understood === null) {
    world.chats.add({ ...place, content: null, replyTo: null });
    return;
  }
  const { content, replyTo, media } = understand(understood);
  const between = { from: place.from, to: place.to };
  switch (content.kind) {
    case "reaction":
      world.chats.change(
        { ...between, messageId: content.messageId },
        world.chats.find(place.from, content.messageId)?.from === place.from
          ? { ownReaction: content.emoji }
          : { reaction: content.emoji },
      );
      break;
    case "edit":
      world.chats.change(
        { ...between, messageId: content.messageId },
        { content: editedContent(world, place.from, content), edited: true },
      );
      break;
    case "delete":
      world.chats.change(
        { ...between, messageId: content.messageId },
        { content: null, deleted: true },
      );
      break;
    default:
      if (media !== null) world.media.note(place.messageId, media);
      world.chats.add({ ...place, content, replyTo });
  }
}

/** Of a file, the caption is what an edit changes. */
function editedContent(
  world: World,
  from: string,
  { messageId, text }: { messageId: string; text: string },
): PhoneContent {
  const before = world.chats.find(from, messageId)?.content ?? null;
  return before !== null && isMedia(before) ? { ...before, caption: text } : { kind: "text", text };
}
