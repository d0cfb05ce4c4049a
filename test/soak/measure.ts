const MIB = 1024 * 1024;

/** What the proxy's process holds, after a collection. */
export interface Measure {
  readonly clients: number;
  /** `/proc/PID/fd` by what they are: `socket`, `pipe`, `file`, ... */
  readonly descriptors: Readonly<Record<string, number>>;
  /** `process.getActiveResourcesInfo()`, by kind: `Timeout`, `TCPSocketWrap`, ... */
  readonly resources: Readonly<Record<string, number>>;
  readonly heapBytes: number;
  /** Outside of the heap: buffers. */
  readonly externalBytes: number;
  readonly residentBytes: number;
}

/**
 * What the runtime itself may gain after the first minute: compiled code, shapes, what a hash table grows by. A session that
 * is kept holds some 30 KiB, so some hundred of them show.
 */
const HEAP_SLACK = 3 * MIB;
const EXTERNAL_SLACK = 2 * MIB;

/**
 * What is left over when all clients have gone, in words. `fresh`: before the first client came; `first`: when all had gone
 * that came in the first minute; `last`: at the end.
 */
export function leftovers(fresh: Measure, first: Measure, last: Measure): string[] {
  return [
    ...(last.clients > 0 ? [`${last.clients} sessions`] : []),
    ...more("descriptors", fresh.descriptors, last.descriptors),
    ...more("resources", fresh.resources, last.resources),
    ...grown("the heap", first.heapBytes, last.heapBytes, HEAP_SLACK),
    ...grown("memory outside of the heap", first.externalBytes, last.externalBytes, EXTERNAL_SLACK),
  ];
}

/** Have all sessions and whatever they had open gone? */
export function isAtRest(fresh: Measure, now: Measure): boolean {
  if (now.clients > 0) return false;
  const kinds = more("descriptors", fresh.descriptors, now.descriptors);
  return kinds.length === 0 && more("resources", fresh.resources, now.resources).length === 0;
}

function more(what: string, before: Readonly<Record<string, number>>, now: Readonly<Record<string, number>>): string[] {
  return Object.entries(now)
    .filter(([kind, count]) => count > (before[kind] ?? 0))
    .map(([kind, count]) => `${what}: ${count} ${kind}, ${before[kind] ?? 0} before the first client`);
}

function grown(what: string, before: number, now: number, slack: number): string[] {
  if (now - before <= slack) return [];
  return [`${what}: ${mebibytes(now)}, ${mebibytes(before)} after the first minute`];
}

export function mebibytes(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`;
}

/** In how many of each. */
export function counted(kinds: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const kind of kinds) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}
