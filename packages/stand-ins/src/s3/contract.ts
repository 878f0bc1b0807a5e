// What the S3 stand-in offers to those who start it.
import type { S3Faults, S3Operation } from "./faults.ts";

export interface S3StandInOptions {
  readonly host?: string;
  /** 0 takes a free one. */
  readonly port?: number;
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
  readonly region?: string;
  /** Where objects are kept, and found again by the next start; a temporary folder that goes with the server otherwise. */
  readonly folder?: string;
  /** The buckets that exist; `media` when left out. */
  readonly buckets?: readonly string[];
}

/** One request that was understood. */
export interface S3RecordedCall {
  readonly operation: S3Operation;
  readonly bucket: string;
  readonly key: string;
  /** What the client was told; `null` when it was told nothing. */
  status: number | null;
}

export interface S3StandIn {
  /** The endpoint for clients; they must use path style. */
  readonly url: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
  readonly faults: S3Faults;
  /** Every request that was understood and rightly signed. */
  calls(): readonly S3RecordedCall[];
  /** `bucket/key` of every object. */
  objects(): string[];
  /** Uploads by parts that were neither completed nor aborted. */
  readonly unfinishedUploads: number;
  /** Answers that are being sent now. */
  readonly answering: number;
  /** Ends everything, and removes what was stored unless it has a folder of yours. */
  close(): Promise<void>;
}
