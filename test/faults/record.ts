/** What the actors' process writes down of one client, in order (see `python/actors.py`). Tids and oids are hex. */
export type ActorEvent =
  /** Another life: a new process, or another ClientStorage. */
  | readonly ["open", hasCacheFile: boolean]
  /** It begins to verify its cache, which has so many objects and stands at that tid. */
  | readonly ["verify", connection: number, tid: string, objects: number]
  | readonly ["invalidation", connection: number, tid: string, oids: readonly string[]]
  /** The answer to `getInvalidations`. */
  | readonly ["resumed", connection: number, tid: string, oids: readonly string[]]
  /** A reply with a tid above all that it has seen on that connection. */
  | readonly ["shown", connection: number, tid: string]
  | readonly ["told", tid: string, oids: readonly string[]]
  | readonly ["cache dropped"]
  /** `getInvalidations` was answered None. */
  | readonly ["stale cache"]
  | readonly ["own", tid: string]
  | readonly ["attempt", mark: string, kind: string]
  /** Its `tpc_finish` is sent next. */
  | readonly ["finishing", mark: string]
  /** Acknowledged. No oids: an undo, of which the server alone knows what it changed. */
  | readonly ["committed", mark: string, tid: string, oids: readonly string[] | null]
  /** A poller was shown `last`, and its cache stands at `known`. */
  | readonly ["behind", last: string, known: string]
  /** A poller loads what the server says it should not have any more. */
  | readonly ["stale", oid: string, current: string, loaded: string]
  | readonly ["polled"]
  /** Through its DB; null where there is no such object. Who reads a stale object wants to know since when. */
  | readonly ["read", oid: string, serial: string | null]
  | readonly ["not connected", type: string, message: string]
  | readonly ["trouble", what: string, type: string, message: string]
  | readonly ["failed", trace: string]
  | readonly ["closed"];

/** The events of each client, by its name, in the text of a record. A line that was cut off by a kill is left out. */
export function readRecord(text: string): Map<string, ActorEvent[]> {
  const events = new Map<string, ActorEvent[]>();
  for (const line of text.slice(0, text.lastIndexOf("\n") + 1).split("\n")) {
    if (line === "") continue;
    const [name, ...event] = JSON.parse(line) as [string, ...unknown[]];
    const own = events.get(name) ?? [];
    events.set(name, own);
    own.push(event as unknown as ActorEvent);
  }
  return events;
}
