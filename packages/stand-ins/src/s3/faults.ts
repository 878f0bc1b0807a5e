// Scripted faults of the S3 stand-in: for which requests, how often, and what goes wrong.

/** The requests that the stand-in knows, by S3's names. */
export const operations = [
  "PutObject",
  "GetObject",
  "HeadObject",
  "DeleteObject",
  "CreateMultipartUpload",
  "UploadPart",
  "CompleteMultipartUpload",
  "AbortMultipartUpload",
] as const;

export type S3Operation = (typeof operations)[number];

/** Which requests a fault is for; what is left out matches everything. */
export interface S3FaultScope {
  readonly operation?: S3Operation;
  readonly key?: string;
  /** How many requests; 1 when left out, "always" until removed. */
  readonly times?: number | "always";
}

/**
 * One fault. `server_error` answers a status with S3's XML; with `accepted` the request is carried out first. `truncated`
 * sends half of an answer's body and resets. `slow` sends the body at that many bytes a second. `delay` only waits.
 */
export type S3Fault = S3FaultScope &
  (
    | { readonly kind: "server_error"; readonly status?: number; readonly accepted?: boolean }
    | { readonly kind: "reset_before_accept" }
    | { readonly kind: "reset_after_accept" }
    | { readonly kind: "truncated" }
    | { readonly kind: "hang" }
    | { readonly kind: "slow"; readonly bytesPerSecond: number }
    | { readonly kind: "delay"; readonly delayMs: number }
  );

/** The faults of one stand-in; the oldest that matches a request is used. */
export class S3Faults {
  readonly #active: { fault: S3Fault; left: number }[] = [];

  /** Adds a fault; the returned function removes it. */
  add(fault: S3Fault): () => void {
    const left = fault.times === "always" ? Number.POSITIVE_INFINITY : (fault.times ?? 1);
    const active = { fault, left };
    this.#active.push(active);
    return () => this.#remove(active);
  }

  clear(): void {
    this.#active.length = 0;
  }

  /** Takes the fault for a request, or `null`. */
  take(operation: S3Operation, key: string): S3Fault | null {
    const active = this.#active.find(
      ({ fault }) =>
        (fault.operation === undefined || fault.operation === operation) &&
        (fault.key === undefined || fault.key === key),
    );
    if (active === undefined) return null;
    active.left -= 1;
    if (active.left <= 0) this.#remove(active);
    return active.fault;
  }

  #remove(active: { fault: S3Fault; left: number }): void {
    const index = this.#active.indexOf(active);
    if (index !== -1) this.#active.splice(index, 1);
  }
}
