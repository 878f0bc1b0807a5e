// The public door of egress: exports only.
export { addressFault, type AddressRules } from "./address.ts";
export {
  createDownloader,
  DownloadTooLargeError,
  type Download,
  type Downloader,
  type DownloadRequest,
} from "./download.ts";
export { createEgress, type Egress, type EgressRequest } from "./egress.ts";
export type { EgressConfig } from "./guarded.ts";
export { EgressError, type EgressErrorCode, type EgressStage } from "./errors.ts";
export type { EgressResponse } from "./exchange.ts";
export type { Resolve, ResolvedAddress } from "./connector.ts";
export { checkUrl, userUrlRules, type UrlRules } from "./url.ts";
