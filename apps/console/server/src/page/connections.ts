// The stores and the state of their connections, as the start page shows them and refreshes them.
import type { AdminConnection, Store } from "@thikaa/db";
import { channels } from "@thikaa/schema";
import { html } from "./html.ts";
import type { Html } from "./html.ts";
import { texts } from "./texts.ts";
import type { Language } from "./texts.ts";

export interface HouseState {
  readonly stores: readonly Store[];
  readonly connections: readonly AdminConnection[];
}

/** A list of stores, each with its connections. */
export function renderConnections(state: HouseState, language: Language): Html {
  const words = texts[language];
  if (state.stores.length === 0) return html`<p class="empty">${words.noConnections}</p>`;
  return html`${state.stores.map((store) =>
    renderStore(
      store,
      state.connections.filter((connection) => connection.store_id === store.id),
      language,
    ),
  )}`;
}

function renderStore(
  store: Store,
  connections: readonly AdminConnection[],
  language: Language,
): Html {
  const words = texts[language];
  const badge =
    store.environment === "sandbox" ? html` <span class="badge">${words.sandbox}</span>` : null;
  const list =
    connections.length === 0
      ? html`<p class="empty">${words.noConnectionsInStore}</p>`
      : html`<ul>
          ${connections.map((connection) => renderConnection(connection, language))}
        </ul>`;
  return html`<article class="store">
    <h3><bdi>${store.name}</bdi> <code>/${store.slug}</code>${badge}</h3>
    ${list}
  </article>`;
}

function renderConnection(connection: AdminConnection, language: Language): Html {
  const words = texts[language];
  const address =
    connection.address === null ? null : html` · <bdi class="address">${connection.address}</bdi>`;
  const badge = connection.is_default ? html` <span class="badge">${words.isDefault}</span>` : null;
  const queued =
    connection.queued === 0
      ? null
      : html`<span class="queued">${connection.queued} ${words.waiting}</span>`;
  const reason =
    connection.reason === null || connection.state === "connected"
      ? null
      : html`<p class="reason" dir="auto">${connection.reason.message}</p>`;
  return html`<li>
    <div class="who">
      <strong><bdi>${connection.name}</bdi></strong
      >${badge}<small>${channels[connection.channel].name[language]}${address}</small>
    </div>
    <div class="how">
      <span class="state ${connection.state}">${words.states[connection.state]}</span>${queued}
    </div>
    ${reason}
  </li>`;
}
