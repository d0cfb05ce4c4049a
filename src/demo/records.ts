/**
 * Data records as ZODB stores them: the class, then the state, two pickles in a row. Written with Python 2's short
 * strings, which every ZODB reads.
 */

const CLASS = "cpersistent.mapping\nPersistentMapping\n";

/** A `PersistentMapping` with these texts. ASCII only. */
export function mappingRecord(texts: Readonly<Record<string, string>>): Buffer {
  return record(Object.entries(texts).map(([key, text]) => [short(key), short(text)]));
}

/** A `PersistentMapping` that names another one, as a database's root object does. `oid` in hex, bytes below 0x80. */
export function rootRecord(key: string, oid: string): Buffer {
  const reference = `(${short(Buffer.from(oid, "hex").toString("latin1"))}${CLASS}tQ`;
  return record([[short(key), reference]]);
}

function record(items: readonly (readonly [string, string])[]): Buffer {
  const data = `}(${items.map(([key, value]) => key + value).join("")}u`;
  return Buffer.from(`${CLASS}.}${short("data")}${data}s.`, "latin1");
}

/** `SHORT_BINSTRING` */
function short(text: string): string {
  return `U${String.fromCharCode(text.length)}${text}`;
}
