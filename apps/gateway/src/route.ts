// Routing of the Messaging API: which store and action a request is for. Pure.
import { actions } from "@thikaa/schema";
import type { Action } from "@thikaa/schema";

export interface MessagingRoute {
  readonly store: string;
  /** The action asked for, `null` when it is none of ours. */
  readonly action: Action | null;
  /** What else stands in the query. */
  readonly query: URLSearchParams;
}

/** What nearly every URL has behind its mark. */
const actionAlone = /^action=([a-z]+)$/;
const path = /^\/([A-Za-z0-9-]{1,64})\/api\/messaging\/?$/;

/** The route of a URL, or `null` when it is not the Messaging API's. */
export function readRoute(url: string): MessagingRoute | null {
  const mark = url.indexOf("?");
  const [, store] = path.exec(mark < 0 ? url : url.slice(0, mark)) ?? [];
  if (store === undefined) return null;
  const text = mark < 0 ? "" : url.slice(mark + 1);
  const alone = actionAlone.exec(text)?.[1];
  const query = new URLSearchParams(alone === undefined ? text : "");
  const action = alone ?? query.get("action") ?? "";
  return { store, action: isAction(action) ? action : null, query };
}

function isAction(text: string): text is Action {
  return Object.hasOwn(actions, text);
}
