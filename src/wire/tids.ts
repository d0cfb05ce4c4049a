import { MAX_SEARCH_STEPS, MAX_VALUE_STEPS } from "./bounds.ts";
import type { Envelope, Shown } from "./codec.ts";
import { ProtocolError } from "./errors.ts";
import { FlatItems, ITEM_NONE } from "./flat.ts";
import { ANY_TID, asTid, ID_BYTES, NO_TID, readTid } from "./ids.ts";
import type { Tid } from "./ids.ts";
import type { Method, Place } from "./methods.ts";
import { UNKNOWN } from "./methods.ts";
import type { Value } from "./value.ts";
import { itemsOf, PyObject, textOf } from "./value.ts";
import { Work, type ShownWork } from "./work.ts";

/** What `shownBy` needs of an encoding. */
export interface ReplyReader {
  /** The first atoms of the value at `at`. */
  flat(payload: Buffer, at: number, into: FlatItems): void;
  /** The value is an exception: flags 2 of a new server, or an old server's pair of class and instance. */
  isException(payload: Buffer, envelope: Envelope): boolean;
  /** The value is a list of nothing but byte strings or pairs of them. Cheap for a million. False also where unclear. */
  isPlainList(payload: Buffer, at: number): boolean;
  /** The value, decoded. Raises `ProtocolError`. */
  value(payload: Buffer, envelope: Envelope, work: Work): Value;
  /**
   * The largest number that eight bytes of a byte string anywhere in the value are; 0 when there are none. Raises
   * `ProtocolError` for what can't be walked over to its end.
   */
  largest(payload: Buffer, at: number, work: Work): Tid;
}

const NOTHING: Shown = { tid: NO_TID, exact: true };

/**
 * The newest tid that the reply to a call of `method` shows. A message's id is never evidence, so only the value is
 * looked at. Data of objects is skipped. Where the reply has another shape than the method's, or the method is unknown
 * (also undefined), any eight bytes in it may be a tid, so the largest is given as not exact. What can't be read, or not
 * with so much work, may show any: such a reply waits for whatever is on its way, and that is all that comes of it.
 *
 * Raises nothing: no rule needs so much of such a reply that a session would have to end for it.
 */
export function shownBy(
  reader: ReplyReader,
  payload: Buffer,
  envelope: Envelope,
  { place }: Method = UNKNOWN,
  given?: ShownWork,
): Shown {
  if (place === "nothing") return NOTHING;
  if (place !== "anywhere") {
    const tid = unlessBad(() => {
      if (!reader.isException(payload, envelope)) return shownAt(place, reader, payload, envelope, given);
      return conflictSerial(reader.value(payload, envelope, given?.value ?? valueWork()));
    });
    if (tid !== undefined) return exact(tid);
  }
  const search = given?.search ?? new Work("bad-message", MAX_SEARCH_STEPS);
  const largest = unlessBad(() => reader.largest(payload, envelope.argsAt, search));
  return { tid: largest ?? ANY_TID, exact: false };
}

function valueWork(): Work {
  return new Work("bad-message", MAX_VALUE_STEPS);
}

function unlessBad(read: () => Tid | undefined): Tid | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

function exact(tid: Tid): Shown {
  return tid === NO_TID ? NOTHING : { tid, exact: true };
}

type Looked = Exclude<Place, "nothing" | "anywhere">;

/** Of a value that is no exception. Undefined: it does not look like this method's. */
function shownAt(
  place: Looked,
  reader: ReplyReader,
  payload: Buffer,
  envelope: Envelope,
  given: ShownWork | undefined,
): Tid | undefined {
  const value = (): Value => reader.value(payload, envelope, given?.value ?? valueWork());
  switch (place) {
    case "exception":
      return NO_TID;
    case "value":
      return inFlat(place, reader, payload, envelope.argsAt);
    case "dictionaries":
      return inDictionaries(value());
    case "vote":
      if (reader.isPlainList(payload, envelope.argsAt)) return NO_TID;
      return conflictsIn(value());
    case "status":
      return inStatus(value());
    default:
      // A memo may hide an item from the quick look.
      return inFlat(place, reader, payload, envelope.argsAt) ?? inTuple(place, value());
  }
}

const shared = new FlatItems();

function inFlat(place: "value" | readonly number[], reader: ReplyReader, payload: Buffer, at: number): Tid | undefined {
  const items = shared.open();
  try {
    reader.flat(payload, at, items);
    return place === "value" ? inAtom(items, payload) : inItems(place, items, payload);
  } finally {
    items.close();
  }
}

function inAtom(items: FlatItems, payload: Buffer): Tid | undefined {
  if (!items.complete || items.tuple || items.count !== 1) return undefined;
  if (items.isBytes(0, ID_BYTES)) return readTid(payload, items.start(0));
  return items.kind(0) === ITEM_NONE ? NO_TID : undefined;
}

function inItems(places: readonly number[], items: FlatItems, payload: Buffer): Tid | undefined {
  if (items.complete && items.count === 1 && items.kind(0) === ITEM_NONE && !items.tuple) return NO_TID;
  let newest: Tid | undefined;
  for (const index of places) {
    if (items.isBytes(index, ID_BYTES)) {
      const tid = readTid(payload, items.start(index));
      if (newest === undefined || tid > newest) newest = tid;
    } else if (newest === undefined || items.kind(index) !== ITEM_NONE) {
      return undefined;
    }
  }
  return newest;
}

/** The same of a decoded value. */
function inTuple(places: readonly number[], value: Value): Tid | undefined {
  if (value === null) return NO_TID;
  const tuple = itemsOf(value);
  let newest: Tid | undefined;
  for (const index of places) {
    const item = tuple?.[index];
    const tid = tidOf(item);
    if (tid === undefined && (newest === undefined || item !== null)) return undefined;
    if (tid !== undefined && (newest === undefined || tid > newest)) newest = tid;
  }
  return newest;
}

function inDictionaries(value: Value): Tid | undefined {
  const dictionaries = itemsOf(value);
  if (dictionaries === undefined) return undefined;
  let newest = NO_TID;
  for (const dictionary of dictionaries) {
    const tid =
      tidOf(entry(dictionary, "tid")) ?? tidOf(entry(dictionary, "serial")) ?? base64Tid(entry(dictionary, "id"));
    if (tid === undefined) return undefined;
    if (tid > newest) newest = tid;
  }
  return newest;
}

/** The newest serial that the conflicts in a vote's reply name; undefined for what is no list. */
export function conflictsIn(value: Value): Tid | undefined {
  if (value === null) return NO_TID;
  const list = itemsOf(value);
  if (list === undefined) return undefined;
  let newest = NO_TID;
  for (const item of list) {
    if (!(item instanceof Map)) continue;
    const tid = committedSerial(entry(item as Value, "serials")) ?? NO_TID;
    if (tid > newest) newest = tid;
  }
  return newest;
}

function inStatus(value: Value): Tid | undefined {
  if (!(value instanceof Map)) return undefined;
  const text = entry(value as Value, "last-transaction");
  if (text === undefined) return NO_TID;
  const hex = textOf(text);
  return hex !== undefined && /^[0-9a-f]{16}$/.test(hex) ? asTid(BigInt(`0x${hex}`)) : undefined;
}

/**
 * The committed serial that a conflict error names, `NO_TID` for any other exception. `serials` is the pair of the
 * committed serial and the client's own (ZODB/POSException.py): only the first is known to be committed. It is in the
 * dictionary that a new server sends, or in the state that an old server's instance is made from.
 */
export function conflictSerial(value: Value): Tid {
  if (value instanceof PyObject) {
    const inArgs = conflictSerial(value.args);
    return inArgs !== NO_TID || value.state === undefined ? inArgs : conflictSerial(value.state);
  }
  const serial = committedSerial(entry(value, "serials"));
  if (serial !== undefined) return serial;
  for (const item of itemsOf(value) ?? []) {
    const found = conflictSerial(item);
    if (found !== NO_TID) return found;
  }
  return NO_TID;
}

function committedSerial(serials: Value | undefined): Tid | undefined {
  return serials === undefined ? undefined : tidOf(itemsOf(serials)?.[0]);
}

function tidOf(value: Value | undefined): Tid | undefined {
  return Buffer.isBuffer(value) && value.length === ID_BYTES ? readTid(value) : undefined;
}

function base64Tid(value: Value | undefined): Tid | undefined {
  const text = value === undefined ? undefined : textOf(value);
  if (text === undefined || !/^[A-Za-z0-9+/]{11}=\s*$/.test(text)) return undefined;
  return readTid(Buffer.from(text.trimEnd(), "base64"));
}

/** A dictionary's entry, whether the key is text or bytes; undefined when there is none. */
export function entry(value: Value, key: string): Value | undefined {
  if (!(value instanceof Map)) return undefined;
  const map = value as ReadonlyMap<Value, Value>;
  const direct = map.get(key);
  if (direct !== undefined) return direct;
  for (const [name, item] of map) if (Buffer.isBuffer(name) && textOf(name) === key) return item;
  return undefined;
}
