/**
 * The protocol names of the handshake: one frame from the server with the newest that it speaks, one from the client
 * with the one in force (ZEO 4.3.1 `zrpc/connection.py`, ZEO 5.2.1 `asyncio/base.py`, `asyncio/server.py`).
 */
export interface Protocol {
  readonly name: string;
  /** ZODB3 and ZEO <= 4, or ZEO >= 5. */
  readonly family: "old" | "new";
  readonly encoding: "pickle" | "msgpack";
  /** Invalidations carry pairs `(oid, version)` and stores a version argument (ZODB3 <= 3.8). */
  readonly versions: boolean;
}

function protocol(name: string, family: "old" | "new", rest: Partial<Protocol> = {}): [string, Protocol] {
  return [name, { name, family, encoding: "pickle", versions: false, ...rest }];
}

const PROTOCOLS: ReadonlyMap<string, Protocol> = new Map([
  protocol("Z303", "old", { versions: true }),
  protocol("Z308", "old", { versions: true }),
  protocol("Z309", "old"),
  protocol("Z310", "old"),
  protocol("Z3101", "old"),
  protocol("Z4", "old"),
  protocol("Z5", "new"),
  protocol("M5", "new", { encoding: "msgpack" }),
]);

/** A monitor's question instead of a protocol name: the server answers with JSON and closes. */
export const RUOK = "ruok";

/** Longer than any name that either side can say. */
export const MAX_HANDSHAKE_BYTES = 16;

/** undefined: a name that this proxy can't repair. */
export function protocolNamed(name: Buffer): Protocol | undefined {
  return PROTOCOLS.get(name.toString("latin1"));
}

/** A TLS client speaks first: a handshake record. */
export const TLS_RECORD = 0x16;
