// The questions of a client that is logged in, and the answers.
import { answerGroup, answerUsync } from "./directory.ts";
import type { OpenLink } from "./delivery.ts";
import { answerKeys, storeKeys, storeSignedKey } from "./pre-keys.ts";
import { allChildrenOf, childOf, childrenOf, node, SERVER } from "./wire.ts";
import type { WireNode } from "./wire.ts";
import type { World } from "./world.ts";

type Answerer = (world: World, open: OpenLink, question: WireNode) => WireNode[];

/** How long a client may use the address for uploads, in seconds. */
const MEDIA_LIFETIME = "300";

/** Standings of a phone that may write to anybody, by the ids that clients ask with. */
const STANDINGS: Readonly<Record<string, object>> = {
  "23983697327930364": { xwa2_fetch_account_reachout_timelock: { is_active: false } },
  "24503548349331633": { xwa2_message_capping_info: { capping_status: "NONE" } },
};

/** By xmlns, type and first child. What is not here gets an empty answer, as a client would wait a minute without one. */
const ANSWERS: Readonly<Record<string, Answerer>> = {
  "encrypt get count": (_world, { linked }) => [
    node("count", { value: String(linked.preKeys.length) }),
  ],
  "encrypt get digest": () => [node("digest")],
  "encrypt get key": (world, _open, question) => answerKeys(world, question),
  "encrypt set registration": (_world, { linked }, question) => (storeKeys(linked, question), []),
  "encrypt set rotate": (_world, { linked }, question) => (
    storeSignedKey(linked, childOf(childOf(question, "rotate"), "skey")),
    []
  ),
  "abt get props": () => [node("props")],
  "blocklist get": () => [node("list")],
  "privacy get privacy": (_world, { phone }) => [
    node("privacy", {}, [
      // Phones from before there was the setting have none in their file.
      node("category", {
        name: "readreceipts",
        value: phone.settings.readReceipts === false ? "none" : "all",
      }),
      node("category", { name: "last", value: "all" }),
      node("category", { name: "online", value: "all" }),
      node("category", { name: "profile", value: "all" }),
      node("category", { name: "status", value: "all" }),
      node("category", { name: "groupadd", value: "all" }),
    ]),
  ],
  "usync get usync": (world, _open, question) => answerUsync(world, question),
  "w:g2 get query": (world, { phone }, question) => answerGroup(world, phone, question),
  "w:g2 get participating": (world, { phone }, question) => answerGroup(world, phone, question),
  "w:m set media_conn": (world) => [
    node(
      "media_conn",
      { auth: "stand-in", ttl: MEDIA_LIFETIME, auth_ttl: MEDIA_LIFETIME, max_buckets: "12" },
      [node("host", { hostname: world.media.host, maxContentLengthBytes: "2147483648" })],
    ),
  ],
  "w:mex get query": (_world, _open, question) => answerMex(question),
  "w:sync:app:state set sync": (_world, _open, question) => [
    node(
      "sync",
      {},
      childrenOf(childOf(question, "sync"), "collection").map(({ attrs }) =>
        node("collection", {
          name: attrs["name"],
          version: attrs["version"] ?? "0",
          type: "result",
        }),
      ),
    ),
  ],
};

function answerMex(question: WireNode): WireNode[] {
  const standing = STANDINGS[childOf(question, "query")?.attrs["query_id"] ?? ""];
  if (standing === undefined) return [node("error", { code: "400", text: "bad-request" })];
  return [node("result", {}, Buffer.from(JSON.stringify({ data: standing })))];
}

/** An error in the place of an answer. */
export function refusalOf(
  question: WireNode,
  { error, text = "refused" }: { error: number; text?: string | undefined },
): WireNode {
  const { id = "", to = SERVER } = question.attrs;
  const child = node("error", { code: String(error), text });
  return node("iq", { from: to, type: "error", id }, [child]);
}

/** What a question is about, as the record and the table name it. */
export function aboutOf(question: WireNode): string {
  const { xmlns = "", type = "" } = question.attrs;
  const [child] = allChildrenOf(question);
  return [xmlns, type, ...(child === undefined ? [] : [child.tag])].join(" ");
}

/** The answer to a question. */
export function answerTo(world: World, open: OpenLink, question: WireNode): WireNode {
  const children = ANSWERS[aboutOf(question)]?.(world, open, question) ?? [];
  const isError = children[0]?.tag === "error";
  const { id = "", to = SERVER } = question.attrs;
  return node("iq", { from: to, type: isError ? "error" : "result", id }, children);
}
