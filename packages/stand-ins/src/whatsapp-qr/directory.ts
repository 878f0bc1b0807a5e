// Who is on WhatsApp, with which devices and under which LID; and groups, which can be looked at only.
import type { GroupState, PhoneState } from "./phones.ts";
import {
  allChildrenOf,
  bytesOf,
  childOf,
  childrenOf,
  lidJid,
  node,
  pnJid,
  seconds,
} from "./wire.ts";
import type { WireNode } from "./wire.ts";
import type { World } from "./world.ts";

/** Answers a usync: for each person asked for, what was asked of them. */
export function answerUsync(world: World, question: WireNode): WireNode[] {
  const usync = childOf(question, "usync");
  const query = childOf(usync, "query");
  const asked = new Set(query === undefined ? [] : allChildrenOf(query).map(({ tag }) => tag));
  const users = childrenOf(childOf(usync, "list"), "user").map((user) =>
    answerUser(world, user, asked),
  );
  return [node("usync", usync?.attrs, [node("result"), node("list", {}, users)])];
}

function answerUser(world: World, user: WireNode, asked: ReadonlySet<string>): WireNode {
  const number = bytesOf(user, "contact").toString("utf8").replace("+", "");
  const jid = user.attrs["jid"] ?? pnJid(number);
  const phone = world.phones.at(jid)?.phone;
  if (phone === undefined)
    return node("user", { jid }, asked.has("contact") ? [node("contact", { type: "out" })] : []);
  const children: WireNode[] = [];
  if (asked.has("contact")) children.push(node("contact", { type: "in" }));
  if (asked.has("devices")) children.push(devicesOf(phone));
  // Also of one asked for by its LID: Baileys then begins a new ratchet, in the middle of a conversation.
  if (asked.has("lid")) children.push(node("lid", { val: lidJid(phone.lid) }));
  return node("user", { jid }, children);
}

function devicesOf(phone: PhoneState): WireNode {
  const ids = [...phone.own, ...phone.linked].map(({ id }) => id);
  const devices = ids.map((id) =>
    node("device", { id: String(id), "key-index": id === 0 ? undefined : String(id) }),
  );
  return node("devices", {}, [node("device-list", {}, devices)]);
}

/** Answers what a group is; an error when the asker is no member or there is none. */
export function answerGroup(world: World, phone: PhoneState, question: WireNode): WireNode[] {
  if (childOf(question, "participating") !== undefined) {
    const groups = world.phones.groups().filter(({ members }) => members.includes(phone.number));
    return [
      node(
        "groups",
        {},
        groups.map((group) => groupNode(world, group)),
      ),
    ];
  }
  const group = world.phones.group(question.attrs["to"] ?? "");
  if (!group?.members.includes(phone.number))
    return [node("error", { code: "404", text: "item-not-found" })];
  return [groupNode(world, group)];
}

function groupNode(world: World, { id, subject, members, createdAt }: GroupState): WireNode {
  const [owner, ...others] = members.map((number) => world.phones.phone(number));
  const participant = (phone: PhoneState, type?: string): WireNode =>
    node("participant", { jid: lidJid(phone.lid), phone_number: pnJid(phone.number), type });
  const attributes = {
    id: id.replace("@g.us", ""),
    subject,
    addressing_mode: "lid",
    creation: seconds(createdAt),
    s_t: seconds(createdAt),
    creator: owner && lidJid(owner.lid),
    creator_pn: owner && pnJid(owner.number),
    size: String(members.length),
  };
  return node("group", attributes, [
    ...(owner === undefined ? [] : [participant(owner, "superadmin")]),
    ...others.map((phone) => participant(phone)),
  ]);
}
