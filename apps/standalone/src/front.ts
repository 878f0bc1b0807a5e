// The front: one port for every app of the house, by the first part of the path.
import type { RequestListener } from "node:http";
import type { Service } from "@thikaa/runtime";

/** Which service answers below a path. */
export interface Mount {
  readonly prefix: string;
  readonly service: Service;
}

/** Passes a request to the service with the longest fitting prefix; `/` alone has a service of its own, and the rest is the gateway's. */
export function front(parts: {
  mounts: readonly Mount[];
  root: Service;
  gateway: Service;
}): RequestListener {
  const mounts = parts.mounts.toSorted((left, right) => right.prefix.length - left.prefix.length);
  return (request, response) => {
    const path = (request.url ?? "/").split("?")[0] ?? "/";
    const mount = mounts.find(({ prefix }) => path === prefix || path.startsWith(`${prefix}/`));
    const service = mount?.service ?? (path === "/" ? parts.root : parts.gateway);
    if (service.handle === undefined) response.writeHead(404).end();
    else service.handle(request, response);
  };
}
