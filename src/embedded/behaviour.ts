import type { Tid } from "../wire/ids.ts";
import type { Fault } from "./faults.ts";

/** What an embedded server announces: ZEO 4 (old), ZEO 5 and 6 with pickles, ZEO 5.1 and later with msgpack. */
export type ServerProtocol = "Z4" | "Z5" | "M5";

/** Who is about to be told of what. */
export interface Telling {
  readonly connection: number;
  readonly storage: string;
  readonly tid: Tid;
  readonly oids: readonly Buffer[];
}

/** Which server is imitated, with which bugs. */
export interface ServerBehaviour {
  readonly protocol: ServerProtocol;
  /**
   * Created objects are missing from invalidations and from `getInvalidations` (every release of ZODB3 and ZEO 4, and
   * ZEO before 5.2.2).
   */
  readonly omitCreated: boolean;
  /** No invalidation at all, and no entry for `getInvalidations`, when nothing is to be named (ZODB3, ZEO 4). */
  readonly silentWhenEmpty: boolean;
  /** An empty transaction is answered with the previous tid and leaves no trace (FileStorage before ZODB 5). */
  readonly emptyKeepsTid: boolean;
  /** New servers: a vote with conflicts is answered with them and the client resolves. */
  readonly clientConflictResolution: boolean;
  readonly readOnly: boolean;
  /** True: this client is not told of this transaction. */
  readonly skipClient: (telling: Telling) => boolean;
  /** Raised inside the storage's own vote, after all stores; undefined: nothing. */
  readonly voteFault: (connection: number) => Fault | undefined;
}

/** The unpatched server of a protocol; everything can be overridden. */
export function unpatched(protocol: ServerProtocol): ServerBehaviour {
  const old = protocol === "Z4";
  return {
    protocol,
    omitCreated: true,
    silentWhenEmpty: old,
    emptyKeepsTid: old,
    clientConflictResolution: false,
    readOnly: false,
    skipClient: () => false,
    voteFault: () => undefined,
  };
}
