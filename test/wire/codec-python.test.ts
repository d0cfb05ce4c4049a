import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Codec, Dialect, Envelope, OidShape } from "../../src/wire/codec.ts";
import { asTid, ID_BYTES } from "../../src/wire/ids.ts";
import { msgpackCodec } from "../../src/wire/msgpack-codec.ts";
import { pickleCodec } from "../../src/wire/pickle-codec.ts";
import type { Value } from "../../src/wire/value.ts";
import { PyTuple } from "../../src/wire/value.ts";
import type { Plain } from "./python-peer.ts";
import { plain, PythonPeer } from "./python-peer.ts";

/** Installing all peers takes minutes. */
const INSTALL_TIMEOUT_MS = 600_000;

interface Writer {
  readonly peer: string;
  readonly protocol: "Z4" | "Z5" | "M5";
  readonly dialect: Dialect;
  /** The peer can read this dialect but writes another one. */
  readonly readsOnly?: true;
}

const WRITERS: readonly Writer[] = [
  { peer: "zodb3-py27", protocol: "Z4", dialect: "pickle1" },
  { peer: "zeo4-py27", protocol: "Z4", dialect: "pickle1" },
  { peer: "zeo4-py27", protocol: "Z4", dialect: "pickle1-zeo5", readsOnly: true },
  { peer: "zeo4-py36", protocol: "Z4", dialect: "pickle3-zeo4" },
  { peer: "zeo521-py27", protocol: "Z5", dialect: "pickle3-py2" },
  { peer: "zeo521-py37", protocol: "Z5", dialect: "pickle3" },
  { peer: "zeo530-py39", protocol: "Z5", dialect: "pickle3" },
  { peer: "zeo62-py312", protocol: "Z5", dialect: "pickle3" },
  { peer: "zeo521-py27", protocol: "M5", dialect: "msgpack-py2" },
  { peer: "zeo521-py37", protocol: "M5", dialect: "msgpack" },
  { peer: "zeo62-py312", protocol: "M5", dialect: "msgpack" },
];

const TID = asTid(0x040d32f12beed388n);
const COUNTS = [0, 1, 2, 15, 16, 17, 999, 1000, 1001, 1002, 2000, 2001];

function oidsOf(count: number): Buffer {
  const oids = Buffer.alloc(count * ID_BYTES);
  for (let i = 0; i < count; i++) oids.writeBigUInt64BE(BigInt(i) * 0x0102_0304_0506n + 1n, i * ID_BYTES);
  return oids;
}

const tuple = (...items: Value[]): PyTuple => new PyTuple(items);

const VALUES: readonly Value[] = [
  null,
  true,
  false,
  ...[
    0,
    1,
    31,
    127,
    128,
    255,
    256,
    65535,
    65536,
    2 ** 31 - 1,
    2 ** 31,
    2 ** 32 - 1,
    2 ** 32,
    140006485388752,
    2 ** 53 - 1,
  ],
  ...[-1, -31, -32, -33, -127, -128, -129, -32768, -32769, -(2 ** 31), -(2 ** 31) - 1, -(2 ** 53) + 1],
  ...[2n ** 53n, 2n ** 62n, 2n ** 63n - 1n, -(2n ** 63n)],
  1.5,
  -0.001,
  Buffer.from("bytes \xff\0", "latin1"),
  Buffer.alloc(256, 2),
  Buffer.alloc(65_536, 3),
  "",
  "text é 😀",
  "x".repeat(31),
  "x".repeat(32),
  "é".repeat(100),
  "x".repeat(70_000),
  tuple(),
  tuple(1),
  tuple(1, 2),
  tuple(1, 2, 3),
  tuple(1, 2, 3, 4),
  tuple(tuple(tuple(1, null), "a"), Buffer.from("b")),
  new Map<Value, Value>([
    [Buffer.from("length"), 3],
    [Buffer.from("size"), 2 ** 40],
  ]),
  new Map<Value, Value>([["one", 2]]),
  ...[1000, 1001, 2000].map((length) => new Map<Value, Value>(Array.from({ length }, (_, i) => [`key ${i}`, "v"]))),
];

/**
 * Of pickles only: msgpack reads lists as tuples, and msgpack-lite writes 255 bytes with a length of two bytes, which
 * is the same to a reader.
 */
const PICKLED: readonly Value[] = [
  Buffer.alloc(255, 1),
  ...COUNTS.map((count) => Array.from({ length: count }, (_, i) => i)),
];

describe.each(WRITERS)("$dialect and $peer ($protocol)", ({ peer: name, protocol, dialect, readsOnly }) => {
  const codec: Codec = protocol === "M5" ? msgpackCodec : pickleCodec;
  const python2 = name.endsWith("py27");
  const native = (text: string): Plain => (python2 ? { bytes: Buffer.from(text).toString("hex") } : { text });
  let peer: PythonPeer | string = "not started";

  beforeAll(async () => {
    peer = await PythonPeer.start(name, protocol);
  }, INSTALL_TIMEOUT_MS);
  afterAll(() => {
    if (typeof peer !== "string") peer.stop();
  });

  const values = protocol === "M5" ? VALUES : [...VALUES, ...PICKLED];

  it("reads what we write as we meant it", async (context) => {
    if (typeof peer === "string") return context.skip(peer);
    for (const value of values) {
      const payload = codec.encode(dialect, 7, 0, ".reply", value);
      const flags = { int: "0" };
      expect(sortedDict(await peer.decode(payload))).toEqual(
        sortedDict({ tuple: [{ int: "7" }, flags, native(".reply"), plain(value)] }),
      );
      expect(codec.args(payload, codec.peek(payload) as Envelope)).toEqual(asRead(value, codec));
    }
  });

  it("writes messages byte for byte as we do, and we read them", async (context) => {
    if (typeof peer === "string") return context.skip(peer);
    if (readsOnly === true) return;
    for (const value of values) {
      const theirs = await peer.encode({ int: "7" }, { int: "0" }, native(".reply"), plain(value));
      const ours = codec.encode(dialect, 7, 0, ".reply", value);
      // Python 2's dictionaries have an order of their own.
      if (python2 && value instanceof Map && value.size > 1) expect(theirs.length).toBe(ours.length);
      else
        expect(ours.equals(theirs), `${ours.toString("hex", 0, 80)} is not ${theirs.toString("hex", 0, 80)}`).toBe(
          true,
        );
      expect(codec.args(theirs, codec.peek(theirs) as Envelope)).toEqual(asRead(value, codec));
    }
  });

  it.for(["plain", "pairs"] as const)(
    "writes invalidations with %s oids as we do, of every size",
    async (shape, context) => {
      if (typeof peer === "string") return context.skip(peer);
      for (const count of COUNTS) {
        const oids = oidsOf(count);
        const ours = codec.encodeInvalidation(dialect, shape, TID, oids);
        const flags: Plain = protocol === "Z4" ? { int: "1" } : true;
        if (readsOnly !== true) {
          const args = { tuple: [plain(tidBuffer()), { list: oidList(oids, shape, native("")) }] };
          const theirs = await peer.encode({ int: "0" }, flags, native("invalidateTransaction"), args);
          expect(ours.equals(theirs), `${count} oids`).toBe(true);
        }
        const read = codec.invalidation(ours, codec.peek(ours) as Envelope);
        expect(read.tid).toBe(TID);
        expect(read.oids.equals(oids)).toBe(true);
        const list = protocol === "M5" ? "tuple" : "list";
        const decoded = await peer.decode(ours);
        expect(decoded).toEqual({
          tuple: [
            { int: "0" },
            readsOnly === true ? true : flags,
            native("invalidateTransaction"),
            {
              tuple: [plain(tidBuffer()), { [list]: oidList(oids, shape, native("")) }],
            },
          ],
        });
      }
    },
  );

  it("reads the getInvalidations replies that we change", async (context) => {
    if (typeof peer === "string") return context.skip(peer);
    const theirs = await peer.encode({ int: "300" }, { int: "0" }, native(".reply"), {
      tuple: [plain(tidBuffer()), { list: [plain(oidsOf(1))] }],
    });
    const envelope = codec.peek(theirs) as Envelope;
    for (const count of COUNTS) {
      const value = { tid: asTid(TID + 5n), oids: oidsOf(count) };
      const changed = codec.encodeInvalidationsReply(theirs, envelope, dialect, "plain", value);
      expect(codec.invalidationsReply(changed, envelope)).toEqual(value);
      const decoded = (await peer.decode(changed)) as { tuple: Plain[] };
      expect(decoded.tuple.slice(0, 3)).toEqual([{ int: "300" }, { int: "0" }, native(".reply")]);
    }
    const none = codec.encodeInvalidationsReply(theirs, envelope, dialect, "plain", undefined);
    expect(codec.invalidationsReply(none, envelope)).toBeUndefined();
    expect(await peer.decode(none)).toEqual({ tuple: [{ int: "300" }, { int: "0" }, native(".reply"), null] });
  });

  it("has its dialect recognised", async (context) => {
    if (typeof peer === "string") return context.skip(peer);
    if (readsOnly === true) return;
    const reply = await peer.encode({ int: "300" }, { int: "0" }, native(".reply"), null);
    expect(codec.dialect(reply, protocol === "Z4")).toBe(dialect);
  });
});

function tidBuffer(): Buffer {
  const bytes = Buffer.alloc(ID_BYTES);
  bytes.writeBigUInt64BE(TID);
  return bytes;
}

function oidList(oids: Buffer, shape: OidShape, empty: Plain): Plain[] {
  const list: Plain[] = [];
  for (let i = 0; i < oids.length; i += ID_BYTES) {
    const oid = plain(oids.subarray(i, i + ID_BYTES));
    list.push(shape === "plain" ? oid : { tuple: [oid, empty] });
  }
  return list;
}

/** The peer's dictionaries come sorted. */
function sortedDict(value: Plain): unknown {
  return JSON.parse(
    JSON.stringify(value, (key, item: unknown) =>
      key === "dict" ? (item as unknown[]).map((pair) => JSON.stringify(pair)).sort() : item,
    ),
  ) as unknown;
}

/** What the codec gives back: msgpack has only lists, small big integers are numbers. */
function asRead(value: Value, codec: Codec): Value {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (value instanceof PyTuple && codec.encoding === "msgpack") return value.items.map((item) => asRead(item, codec));
  return value;
}
