/** What a method is to the proxy: the event that it is for the ledger. */
export type MethodSort =
  | "register"
  | "begin"
  /** Begins with oid, serial and data; its last argument is the transaction's id. */
  | "store"
  /** The same. */
  | "restore"
  /** The same without data. */
  | "delete"
  | "undo"
  | "vote"
  | "finish"
  | "abort"
  | "resume"
  | "last"
  /** Its answer can be older than what its client was told meanwhile; what that means is the session's affair. */
  | "read"
  /** None: the call passes, and its reply is evidence at most. */
  | "other";

/**
 * Where a method's reply has its tids.
 *
 * - `nothing`: nowhere, whatever stands in it. It is not looked at.
 * - `exception`: nowhere, but if it is an exception that is a conflict, which names the committed serial. The same holds
 *   for all that follow.
 * - `value`: it is the tid, or None.
 * - numbers: these items of a tuple, of which at least the first must be a tid. None instead of the tuple, and None as
 *   an item, show nothing.
 * - `dictionaries`: a list of them with `tid` (`history`) or `id`, the tid in base64 (`undoInfo`).
 * - `vote`: a list; dictionaries in it are conflicts and name the committed serial. Its other items are oids (ZODB 5),
 *   or pairs of oid and a serial that is not committed yet.
 * - `status`: a dictionary, with `last-transaction` in hex digits since ZEO 4.
 * - `anywhere`: nobody knows, so any eight bytes may be one.
 */
export type Place =
  | "nothing"
  | "exception"
  | "value"
  | readonly number[]
  | "dictionaries"
  | "vote"
  | "status"
  | "anywhere";

export interface Method {
  readonly name: string;
  readonly sort: MethodSort;
  readonly place: Place;
  /** Its reply begins with an object's data, and its tids stand behind that, at its end. */
  readonly dataFirst: boolean;
  /** A small number that stands for it, below 256. */
  readonly index: number;
}

/*
 * What a client can call: the public methods of ZEOStorage, what `setup_delegation` adds, and the Z308 adapter, in
 * ZEO/StorageServer.py of ZODB3 3.10.7 and ZEO 4.3.1; `registered_methods` in that of ZEO 5.2.1 and 6.2; what ZEO 4.3.1's
 * auth/auth_digest.py adds. Left out is what all of them refuse (`undo`), and what has to do with versions.
 */
const ROWS: readonly (readonly [string, MethodSort, Place, "data first"?])[] = [
  ["register", "register", "value"],
  ["tpc_begin", "begin", "exception"],
  ["storea", "store", "exception"],
  ["storeBlobEnd", "store", "exception"],
  ["storeBlobShared", "store", "exception"],
  ["restorea", "restore", "exception"],
  ["deleteObject", "delete", "exception"],
  ["undoa", "undo", "exception"],
  ["vote", "vote", "vote"],
  ["tpc_finish", "finish", "value"],
  ["tpc_abort", "abort", "exception"],
  ["getInvalidations", "resume", [0]],
  ["lastTransaction", "last", "value"],

  // (data, serial), with Z308 also the version.
  ["load", "other", [1], "data first"],
  ["loadEx", "other", [1], "data first"],
  // (data, serial, end)
  ["loadBefore", "read", [1, 2], "data first"],
  // (data, serial, version, data of the version, its serial)
  ["zeoLoad", "other", [1, 4]],
  ["loadSerial", "other", "exception"],
  ["getTid", "other", "value"],
  ["getSerial", "other", "value"],
  ["history", "other", "dictionaries"],
  ["undoInfo", "other", "dictionaries"],
  ["undoLog", "other", "dictionaries"],
  ["iterator_start", "other", "exception"],
  // (tid, status, user, description, extension)
  ["iterator_next", "other", [0]],
  ["iterator_record_start", "other", "exception"],
  // (oid, tid, data, data_txn)
  ["iterator_record_next", "other", [1]],
  // (oid, tid, data, next)
  ["record_iternext", "other", [1]],
  ["server_status", "other", "status"],
  ["get_info", "other", "exception"],
  ["verify", "other", "exception"],
  ["zeoVerify", "other", "exception"],
  ["endZeoVerify", "other", "exception"],
  ["checkCurrentSerialInTransaction", "other", "exception"],
  ["sendBlob", "other", "exception"],

  ["new_oids", "other", "nothing"],
  ["new_oid", "other", "nothing"],
  ["pack", "other", "nothing"],
  ["ping", "other", "nothing"],
  ["get_size_info", "other", "nothing"],
  ["getExtensionMethods", "other", "nothing"],
  ["set_client_label", "other", "nothing"],
  ["iterator_gc", "other", "nothing"],
  ["storeBlobStart", "other", "nothing"],
  ["storeBlobChunk", "other", "nothing"],
  ["getAuthProtocol", "other", "nothing"],
  ["auth_get_challenge", "other", "nothing"],
  ["auth_response", "other", "nothing"],
];

/** Stands for all methods that are not known: a reply to one is searched for tids. */
export const UNKNOWN: Method = { name: "", sort: "other", place: "anywhere", dataFirst: false, index: 0 };

/** All methods; each stands at its index. */
export const METHODS: readonly Method[] = [
  UNKNOWN,
  ...ROWS.map(([name, sort, place, data], row): Method => ({
    name,
    sort,
    place,
    dataFirst: data !== undefined,
    index: row + 1,
  })),
];

const BY_NAME: ReadonlyMap<string, Method> = new Map(METHODS.slice(1).map((method) => [method.name, method]));

export function methodNamed(name: string): Method {
  return BY_NAME.get(name) ?? UNKNOWN;
}

/** Twice as many places as there are methods, so that a name is found with a look or two. */
const PLACES = 128;

const BY_BYTES: readonly { readonly name: Buffer; readonly method: Method }[][] = Array.from(
  { length: PLACES },
  () => [],
);
for (const method of METHODS.slice(1)) {
  const name = Buffer.from(method.name);
  BY_BYTES[placeOf(name, 0, name.length)]?.push({ name, method });
}

function placeOf(bytes: Buffer, from: number, to: number): number {
  const first = bytes[from] as number;
  const last = bytes[to - 1] as number;
  return (first * 7 + last * 31 + (to - from) * 13) & (PLACES - 1);
}

/** The method whose name these bytes are, without a string of it; undefined for one that the table does not have. */
export function methodIn(bytes: Buffer, from: number, to: number): Method | undefined {
  if (from >= to) return undefined;
  for (const { name, method } of BY_BYTES[placeOf(bytes, from, to)] ?? [])
    if (isName(name, bytes, from, to)) return method;
  return undefined;
}

function isName(name: Buffer, bytes: Buffer, from: number, to: number): boolean {
  if (name.length !== to - from) return false;
  for (let i = 0; i < name.length; i++) if (name[i] !== bytes[from + i]) return false;
  return true;
}

/** `index` as found in a `Method`. */
export function methodAt(index: number): Method {
  return METHODS[index] ?? UNKNOWN;
}

/** The method name of every reply. */
export const REPLY = ".reply";
const REPLY_BYTES = Buffer.from(REPLY);
/** Server to client, one-way. */
export const INVALIDATE = "invalidateTransaction";
/** An old server's answers to stores, one-way. */
export const SERIALNOS = "serialnos";

export function isReplyName(bytes: Buffer, from: number, to: number): boolean {
  return isName(REPLY_BYTES, bytes, from, to);
}
