import { posix } from "node:path";

/** Which modules each module imports, by path; a type import counts like any other. */
export type ImportGraph = ReadonlyMap<string, readonly string[]>;

const IMPORT = /^(?:import|export)(?:\b[^;"]*\bfrom)? "(\.{1,2}\/[^"]+)";|\bimport\("(\.{1,2}\/[^"]+)"\)/gm;

/** Reads the imports by relative path of sources as oxfmt writes them. Throws an Error for an import of no source. */
export function importGraph(sources: ReadonlyMap<string, string>): ImportGraph {
  const graph = new Map<string, string[]>();
  for (const [path, text] of sources) {
    const imported = [...text.matchAll(IMPORT)].map(([, still, late]) =>
      posix.join(posix.dirname(path), still ?? late ?? ""),
    );
    for (const one of imported) if (!sources.has(one)) throw new Error(`${path} imports ${one}, which isn't there`);
    graph.set(path, [...new Set(imported)]);
  }
  return graph;
}

/** The largest sets of modules that reach one another, each sorted; a module that imports itself is one too. */
export function circles(graph: ImportGraph): string[][] {
  const reach = new Map([...graph.keys()].map((path) => [path, reachable(graph, path)]));
  const found = new Map<string, string[]>();
  for (const [path, from] of reach) {
    if (!from.has(path)) continue;
    const circle = [...from].filter((other) => reach.get(other)?.has(path)).toSorted();
    found.set(circle.join(" "), circle);
  }
  return [...found.values()];
}

/** What `start` imports, directly or not; `start` itself only if something leads back to it. */
function reachable(graph: ImportGraph, start: string): Set<string> {
  const seen = new Set<string>();
  const open = [...(graph.get(start) ?? [])];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    open.push(...(graph.get(path) ?? []));
  }
  return seen;
}
