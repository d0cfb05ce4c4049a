import type { OidSet } from "../ledger/oid-set.ts";
import type { Repair, ServerFamily, Settled } from "../ledger/state.ts";
import type { Changes } from "../ledger/transaction.ts";
import type { Tid } from "../wire/ids.ts";
import type { SessionEnd } from "./ends.ts";

/** Why a connection is relayed byte for byte. */
export type RawReason =
  | "tls"
  | "unknown-protocol"
  | "mac"
  | "ruok"
  /** So that it shows what would be repaired. */
  | "observe"
  /** It was observed, and could not be followed any further when it was to be repaired. */
  | "lost";

/** What has come instead of a PROXY header: nothing like one, or one that can't be read or has no end. */
export type HeaderFault = "no-proxy-header" | "bad-proxy-header";

/** How a client's TLS handshake has failed: it, or the proxy, had something against it; it was not done in time; it made room. */
export type HandshakeFault = "tls-failed" | "tls-timeout" | "too-many-handshakes";

/** Why a client is closed as soon as it has connected, or before it has a session. */
export type RefusalReason = "denied" | "upstream-full" | "address-full" | HeaderFault | HandshakeFault;

/** What happens to a storage. */
export type StorageHappening =
  /** Everyone who was due has been told of a repaired commit, or has left. */
  | { readonly what: "repaired"; readonly settled: Settled }
  /** A client that came back was answered with more than the server said; `tid` undefined: None, for want of history. */
  | { readonly what: "resumed"; readonly from: Tid; readonly tid: Tid | undefined; readonly reach: Tid | undefined }
  /** A client that came back was answered None by the server itself. */
  | { readonly what: "not-resumed"; readonly from: Tid }
  /**
   * A server's answer to a read was older than what its client had been told meanwhile. `ended`: it was told until when it
   * was so, the `tid`; `asked again`: there was no such object yet. `oid`: eight bytes.
   */
  | {
      readonly what: "old-answer";
      readonly repair: "ended" | "asked again";
      readonly oid: Buffer;
      readonly tid: Tid;
    }
  /** Nobody knows whether a commit of that client's is in the database: its `tpc_finish` was not answered with a tid or None. */
  | { readonly what: "in-limbo" }
  /** A commit of a client's has settled. Told only where somebody wants to hear of each. */
  | { readonly what: "committed"; readonly tid: Tid; readonly changes: Changes }
  /** A commit that did not pass through here. `oids`: what it has changed, where it was read. */
  | { readonly what: "foreign"; readonly tid: Tid; readonly isRead: boolean; readonly oids?: OidSet | undefined }
  /**
   * Commits that do not pass through here are not read any more: `reason` says why. And they are again. `family`: a server may have
   * clients that speak the protocols of both, each kind with a storage of its own.
   */
  | { readonly what: "unwatched"; readonly family: ServerFamily; readonly reason: string }
  | { readonly what: "watched"; readonly family: ServerFamily }
  /** The server told that client of it behind a higher tid: it is told under the one where its cache stands. */
  | { readonly what: "told-late"; readonly tid: Tid }
  | { readonly what: "copied-history"; readonly tid: Tid; readonly known: Tid }
  | { readonly what: "ledger-ended"; readonly tid: Tid; readonly proven: Tid }
  /**
   * The same for the `times`-th time, each within an hour of the one before. `address` has answered that, where it is
   * known; `addresses`: all that the storage's sessions are connected to. `address:port` each.
   */
  | {
      readonly what: "set-back-again";
      readonly server: string;
      readonly address: string | undefined;
      readonly addresses: readonly string[];
      readonly times: number;
    }
  | { readonly what: "held-long"; readonly heldMs: number }
  /** Such a message has gone out. */
  | { readonly what: "held-over"; readonly heldMs: number }
  /** An error that nobody has foreseen, and that is no session's. */
  | { readonly what: "failed"; readonly error: unknown };

/** What happens to a session. */
export type SessionHappening =
  | { readonly what: "opened" }
  | { readonly what: "closed"; readonly facts: ClosedSession }
  /** The connection is relayed byte for byte from now on, unrepaired. */
  | { readonly what: "relayed"; readonly reason: RawReason }
  /** The proxy itself has ended it. */
  | { readonly what: "ended"; readonly storage: string | undefined; readonly end: SessionEnd };

/** What a session was, once both its connections are closed. */
export interface ClosedSession {
  readonly protocol: string | undefined;
  readonly storage: string | undefined;
  /** Bytes that were read. */
  readonly fromClient: number;
  readonly fromServer: number;
  /** Invalidations that were written to its client and that the proxy has changed or made. */
  readonly completed: number;
  readonly synthesized: number;
  readonly late: number;
  readonly durationMs: number;
}

/** What happens to an upstream; addresses are `host:port`, or the path of a Unix socket. */
export type UpstreamHappening =
  /** `isAgain`: nothing else was told since the last time. */
  | { readonly what: "listening"; readonly address: string; readonly server: string; readonly isAgain: boolean }
  /** The server does not answer: `reason` is a system code, `silent`, or `ended` as soon as it had accepted. */
  | { readonly what: "down"; readonly server: string; readonly reason: string }
  /** Another one of its servers takes the place of that which is down; both as `host:port`. */
  | { readonly what: "moved"; readonly from: string; readonly to: string }
  /** The listening address can't be had: somebody has it, or it is not there yet. */
  | { readonly what: "blocked"; readonly address: string; readonly reason: string }
  /** This machine can't make connections: `reason` is a system code. */
  | { readonly what: "trouble"; readonly reason: string }
  | { readonly what: "trouble-over"; readonly lastedMs: number }
  /** Servers at several addresses answer at the same time, `addresses` without ports. */
  | { readonly what: "several-addresses"; readonly server: string; readonly addresses: readonly string[] }
  /** TLS has failed with a client, or on a connection to the server: `reason` is Node's code, or OpenSSL's. */
  | {
      readonly what: "tls-failed";
      readonly party: "client" | "server";
      /** As in `client` of others; the server's address. */
      readonly peer: string;
      readonly reason: string;
    }
  /** The server's certificate is not looked at. */
  | { readonly what: "unverified" }
  /** It answers again, after so long. */
  | { readonly what: "up"; readonly server: string; readonly downMs: number };

/** Which storage, and whose session: who has committed, came back, waits, or on whose connections it has shown. */
export interface StoragePlace {
  readonly upstream: string;
  readonly storage: string;
  /** `address:port`; undefined where it has left, or where it is nobody's. */
  readonly client: string | undefined;
}

/** All that happens and is told of. What is counted, logged or emitted reads these, and nothing else. */
export type Happening =
  | (StoragePlace & StorageHappening)
  | ({ readonly upstream: string; readonly client: string } & SessionHappening)
  | ({ readonly upstream: string } & UpstreamHappening)
  /** The process has as many clients as it may, and listens no more; and has had room again for a while. */
  | { readonly what: "full"; readonly clients: number }
  | { readonly what: "room"; readonly lastedMs: number }
  /** A client was closed as soon as it had connected. */
  | { readonly what: "refused"; readonly upstream: string; readonly client: string; readonly reason: RefusalReason }
  /** Others than this machine reach that address: anybody may come in, or say that he is whoever he likes. */
  | {
      readonly what: "unguarded";
      readonly upstream: string;
      readonly address: string;
      readonly against: "anybody" | "forged addresses";
    }
  /** The system allows fewer descriptors than so many clients need. */
  | { readonly what: "few-descriptors"; readonly clients: number; readonly needed: number; readonly allowed: number }
  /** The admin server answers at this address; and something went wrong in it that nobody has foreseen. */
  | { readonly what: "admin-listening"; readonly address: string }
  | { readonly what: "admin-failed"; readonly error: unknown }
  /** An invalidation was written that the proxy has changed or made. */
  | { readonly what: "announced"; readonly repair: Repair }
  /** The proxy has asked a question of its own. */
  | { readonly what: "asked" }
  /** That would have happened if a session that is observed were repaired. */
  | { readonly what: "observed"; readonly happening: Observed };

/** What is told of an observed session, and has not been done. */
export type Observed = Extract<
  Happening,
  { readonly what: "repaired" | "resumed" | "old-answer" | "ended" | "announced" | "ledger-ended" | "copied-history" }
>;

/** Tells of it. Never throws: who is told must not come between what the proxy is doing. */
export type Report = (happening: Happening) => void;
