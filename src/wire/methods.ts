/** What a method is to the proxy. */
export type MethodSort =
  | "register"
  | "begin"
  | "store"
  | "restore"
  | "delete"
  | "undo"
  | "vote"
  | "finish"
  | "abort"
  | "resume"
  | "last"
  /** Its reply may show a tid. */
  | "read"
  /** Its reply shows none, whatever stands in it. */
  | "plain";

export interface Method {
  readonly name: string;
  readonly sort: MethodSort;
  /** A small number that stands for it. */
  readonly index: number;
}

const SORTS: readonly (readonly [MethodSort, readonly string[]])[] = [
  ["register", ["register"]],
  ["begin", ["tpc_begin"]],
  ["store", ["storea", "storeBlobEnd", "storeBlobShared"]],
  ["restore", ["restorea", "restoreBlob"]],
  ["delete", ["deleteObject"]],
  ["undo", ["undoa", "undo"]],
  ["vote", ["vote", "tpc_vote"]],
  ["finish", ["tpc_finish"]],
  ["abort", ["tpc_abort"]],
  ["resume", ["getInvalidations"]],
  ["last", ["lastTransaction"]],
  [
    "read",
    [
      "load",
      "loadEx",
      "loadBefore",
      "loadBulk",
      "loadSerial",
      "zeoLoad",
      "getTid",
      "getSerial",
      "history",
      "undoInfo",
      "undoLog",
      "verify",
      "zeoVerify",
      "endZeoVerify",
      "iterator_start",
      "iterator_next",
      "iterator_record_start",
      "iterator_record_next",
      "record_iternext",
      "checkCurrentSerialInTransaction",
      "server_status",
      "get_info",
      "storeBlob",
      "sendBlob",
    ],
  ],
  [
    "plain",
    [
      "new_oids",
      "new_oid",
      "getSize",
      "pack",
      "ping",
      "ruok",
      "getExtensionMethods",
      "supportsUndo",
      "getName",
      "set_client_label",
      "iterator_gc",
      "storeBlobStart",
      "storeBlobChunk",
      "getAuthProtocol",
      "auth_get_challenge",
      "auth_response",
      "get_size_info",
    ],
  ],
];

const METHODS: readonly Method[] = SORTS.flatMap(([sort, names]) => names.map((name) => ({ name, sort }))).map(
  (method, position) => ({ ...method, index: position + 1 }),
);

const BY_NAME: ReadonlyMap<string, Method> = new Map(METHODS.map((method) => [method.name, method]));

/** Stands for all methods that are not known: a reply to one is searched for tids. */
export const UNKNOWN: Method = { name: "", sort: "read", index: 0 };

export function methodNamed(name: string): Method {
  return BY_NAME.get(name) ?? UNKNOWN;
}

/** `index` as found in a `Method`. */
export function methodAt(index: number): Method {
  return METHODS[index - 1] ?? UNKNOWN;
}

/** The method name of every reply. */
export const REPLY = ".reply";
/** Server to client, one-way. */
export const INVALIDATE = "invalidateTransaction";
/** An old server's answers to stores, one-way. */
export const SERIALNOS = "serialnos";
