// The public door of sending: exports only.
export { abandonConnection } from "./abandon.ts";
export { Accepting } from "./accept.ts";
export type { AcceptRequest, AcceptResult } from "./accept-types.ts";
export { cancel } from "./cancel.ts";
export type { CancelResult, CancelTarget } from "./cancel.ts";
export { acceptChange, findChangeTarget } from "./change.ts";
export type { ChangeRequest, ChangeResult, ChangeTarget } from "./change.ts";
export { claim } from "./claim.ts";
export type * from "./claim-types.ts";
export { expire } from "./expire.ts";
export { findStoredAnswer, fingerprint, idempotencyHours, resolveKey } from "./idempotency.ts";
export { findLanes, joinLanes } from "./lanes.ts";
export type { FoundLanes, LaneCursor } from "./lanes.ts";
export { recoverClaims, releaseUnbegun } from "./recover.ts";
export type { Recovered } from "./recover.ts";
export { settle } from "./settle.ts";
export type { Settled } from "./settle.ts";
export { Batcher } from "./batcher.ts";
