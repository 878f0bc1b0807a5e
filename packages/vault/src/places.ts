// Places: where each kind of secret is sealed. Bound to the sealed text, so whoever seals and whoever opens name the same one.

/** The place of each kind of sealed text, by the id of its row. */
export const places = {
  connectionCredentials: (connectionId: string) => `connections|credentials|${connectionId}`,
  connectionWebhookSecret: (connectionId: string) => `connections|webhook_secret|${connectionId}`,
  connectorState: (connectionId: string, key: string) => `connector_state|${connectionId}|${key}`,
  pairingShown: (connectionId: string) => `pairings|shown|${connectionId}`,
  endpointSecret: (endpointId: string) => `endpoints|secret|${endpointId}`,
} as const;
