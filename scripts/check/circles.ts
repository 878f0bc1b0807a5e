// Finds circles in a graph of imports: groups of files or packages that reach each other.

/** Groups of two or more that reach each other (and single ones that reach themselves), each sorted by name. */
export function findCircles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const reach = new Map([...graph.keys()].map((from) => [from, reachable(graph, from)]));
  const seen = new Set<string>();
  const circles: string[][] = [];
  for (const from of [...graph.keys()].toSorted()) {
    if (seen.has(from) || !reach.get(from)?.has(from)) continue;
    const circle = [...(reach.get(from) ?? [])].filter((to) => reach.get(to)?.has(from)).toSorted();
    for (const member of circle) seen.add(member);
    circles.push(circle);
  }
  return circles;
}

function reachable(graph: ReadonlyMap<string, readonly string[]>, from: string): Set<string> {
  const found = new Set<string>();
  const open = [...(graph.get(from) ?? [])];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (found.has(next)) continue;
    found.add(next);
    open.push(...(graph.get(next) ?? []));
  }
  return found;
}
