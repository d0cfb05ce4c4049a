import type { Dialect } from "../../src/wire/codec.ts";

export type Family = "old" | "new";

/** A server as it can be installed: which protocols it speaks, who writes its bytes, and what it leaves out. */
export interface ServerKind {
  readonly name: string;
  readonly family: Family;
  /** Names created objects. */
  readonly isPatched: boolean;
  /** What it greets with. */
  readonly greeting: string;
  /** What its clients may answer. */
  readonly accepts: readonly string[];
  readonly pickle: Dialect;
  readonly msgpack: Dialect;
}

const OLD = { family: "old", isPatched: false, msgpack: "msgpack", pickle: "pickle1" } as const;
const NEW = { family: "new", isPatched: false, greeting: "Z5", accepts: ["Z5", "M5"], msgpack: "msgpack" } as const;

export const KINDS: readonly ServerKind[] = [
  { ...OLD, name: "ZODB3 3.8", greeting: "Z308", accepts: ["Z303", "Z308"] },
  { ...OLD, name: "ZODB3 3.10", greeting: "Z3101", accepts: ["Z308", "Z309", "Z310", "Z3101"] },
  { ...OLD, name: "ZEO 4 py2", greeting: "Z4", accepts: ["Z308", "Z3101", "Z4"] },
  { ...OLD, name: "ZEO 4 py3", greeting: "Z4", accepts: ["Z4"], pickle: "pickle3-zeo4" },
  { ...OLD, name: "ZEO 4 backport", greeting: "Z4", accepts: ["Z308", "Z4"], isPatched: true },
  { ...OLD, name: "ZEO 4 py3 backport", greeting: "Z4", accepts: ["Z4"], pickle: "pickle3-zeo4", isPatched: true },
  { ...NEW, name: "ZEO 5.1 py2", pickle: "pickle1-zeo5", msgpack: "msgpack-py2" },
  { ...NEW, name: "ZEO 5.2 py2", pickle: "pickle3-py2", msgpack: "msgpack-py2" },
  { ...NEW, name: "ZEO 5.2.1", pickle: "pickle3" },
  { ...NEW, name: "ZEO 5.2.1 msgpack", greeting: "M5", pickle: "pickle3" },
  { ...NEW, name: "ZEO 6", pickle: "pickle3", isPatched: true },
  { ...NEW, name: "ZEO 6 msgpack", greeting: "M5", pickle: "pickle3", isPatched: true },
];

export function kindNamed(name: string): ServerKind {
  const kind = KINDS.find((one) => one.name === name);
  if (kind === undefined) throw new Error(`no server is called ${name}`);
  return kind;
}

/** How the two sides of one connection write. */
export interface Style {
  readonly protocol: string;
  readonly family: Family;
  readonly dialect: Dialect;
  readonly isMsgpack: boolean;
  /** Names are byte strings, and so are texts. */
  readonly isPython2: boolean;
  /** Pickle protocol 2 and later. */
  readonly isBinary2: boolean;
  /** The server's one-way messages have the flag True. */
  readonly isOneWayTrue: boolean;
  /** Stores have a version, invalidations name pairs. */
  readonly hasVersions: boolean;
}

export function styleOf(kind: ServerKind, protocol: string): Style {
  const isMsgpack = protocol === "M5";
  const dialect = isMsgpack ? kind.msgpack : kind.pickle;
  return {
    protocol,
    family: kind.family,
    dialect,
    isMsgpack,
    isPython2: dialect === "pickle1" || dialect === "pickle1-zeo5" || dialect.endsWith("py2"),
    isBinary2: dialect.startsWith("pickle3"),
    isOneWayTrue: kind.family === "new",
    hasVersions: protocol === "Z303" || protocol === "Z308",
  };
}
