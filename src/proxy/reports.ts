import type { EventEmitter } from "node:events";
import type { Logger } from "pino";
import { difference, intersection, oidCount, type OidSet } from "../ledger/oid-set.ts";
import type { Settled } from "../ledger/state.ts";
import { Hourly } from "../observe/hourly.ts";
import { logRepair, logResume } from "../observe/lines.ts";
import { ID_BYTES, tidHex, tidTimeMs, type Tid } from "../wire/ids.ts";
import type { ProxyEvents, RepairEvent, ResumeEvent } from "./api.ts";
import { count, type Counters } from "./counters.ts";
import type { RawReason } from "./handshake.ts";
import type { Session } from "./session.ts";
import type { SessionEnd } from "./session-end.ts";
import type { Storage, StorageReports } from "./storage.ts";
import type { Upstream } from "./upstream.ts";

/** Turns what happens into log lines, events and counts. */
export class Reports implements StorageReports {
  readonly counters: Counters;
  readonly unrepaired = new Hourly();
  readonly #hourly = new Hourly();
  readonly #logger: Logger;
  readonly #events: EventEmitter<ProxyEvents>;
  readonly #maxOids: number;

  constructor(counters: Counters, logger: Logger, events: EventEmitter<ProxyEvents>, maxOids: number) {
    this.counters = counters;
    this.#logger = logger;
    this.#events = events;
    this.#maxOids = maxOids;
  }

  // --- storages ---------------------------------------------------------------------------------------------------

  repaired(storage: Storage, upstream: string, settled: Settled): void {
    const { tid, changes, completed, synthesized } = settled;
    // What no message of the server's named; all of it where the server sent none.
    const added = settled.added ?? settled.oids;
    const { restored, deleted } = changes;
    const event: RepairEvent = {
      upstream,
      storage: storage.name,
      tid: tidHex(tid),
      time: new Date(tidTimeMs(tid)).toISOString(),
      repair: synthesized > 0 ? "synthesized" : "completed",
      created: oidCount(intersection(changes.created, added)),
      restored: oidCount(intersection(difference(restored, changes.created), added)),
      deleted: oidCount(intersection(difference(deleted, changes.created), added)),
      oids: hexOids(added, this.#maxOids),
      completed,
      synthesized,
    };
    logRepair(this.#logger, event);
    this.#emit("repaired", event);
  }

  resumed(storage: Storage, upstream: string, from: Tid, to: Tid | undefined, reach: Tid | undefined): void {
    if (to === undefined) {
      this.counters.tooOld++;
      const fields = { upstream, storage: storage.name, from: tidHex(from), reach: reach && tidHex(reach) };
      this.#logger.info(fields, "getInvalidations answered None: the history does not reach back so far");
      return;
    }
    this.counters.resumed++;
    const event: ResumeEvent = { upstream, storage: storage.name, from: tidHex(from), tid: tidHex(to) };
    logResume(this.#logger, event);
    this.#emit("resumed", event);
  }

  foreign(storage: Storage, upstream: string, tid: Tid): void {
    const told = this.#hourly.count(upstream, `foreign ${storage.name}`, performance.now());
    if (told === undefined) return;
    const { since, total } = told;
    this.#logger.warn(
      { upstream, storage: storage.name, tid: tidHex(tid), since, total },
      "a commit that did not pass through here: relayed as the server told it, perhaps without created objects",
    );
  }

  copiedHistory(storage: Storage, upstream: string, tid: Tid, known: Tid): void {
    this.#logger.warn(
      { upstream, storage: storage.name, tid: tidHex(tid), known: tidHex(known) },
      "a transaction was copied to a place before known ones: the storage's other sessions end, so that they verify",
    );
  }

  ledgerEnded(storage: Storage, upstream: string, tid: Tid, proven: Tid): void {
    this.#logger.warn(
      { upstream, storage: storage.name, tid: tidHex(tid), known: tidHex(proven) },
      "the server's last transaction is older than a known one: another database or a backup; its sessions end",
    );
  }

  heldLong(storage: Storage, upstream: string, heldMs: number): void {
    this.#logger.warn({ upstream, storage: storage.name, heldMs }, "a message is held for over a second");
  }

  failed(storage: Storage, upstream: string, error: unknown): void {
    this.#logger.error({ upstream, storage: storage.name, err: error }, "an unexpected error");
  }

  // --- sessions ---------------------------------------------------------------------------------------------------

  opened(upstream: string, session: Session): void {
    this.#logger.debug({ upstream, client: session.peer }, "client connected");
  }

  closed(upstream: string, session: Session): void {
    const { fromClient, fromServer } = session.bytes;
    const { completed, synthesized } = session.announced;
    const durationMs = Date.now() - session.startedMs;
    const { protocol, storage } = session;
    this.#logger.debug(
      { upstream, client: session.peer, protocol, storage, fromClient, fromServer, completed, synthesized, durationMs },
      "client disconnected",
    );
  }

  ended(upstream: string, session: Session, end: SessionEnd): void {
    count(this.counters.ended, end.code);
    if (end.code.startsWith("guard-")) this.counters.guard++;
    const { code, fault, detail, offset, expected, cause } = end;
    const { storage, peer: client } = session;
    const fields = {
      upstream,
      storage,
      client,
      code,
      fault,
      offset,
      expected,
      got: detail,
      ...(cause !== undefined && { err: cause }),
    };
    if (end.code in QUIET_ENDS) this.#logger.warn(fields, "session ended, so that its client verifies its cache");
    else this.#logger.error(fields, "session ended");
    this.#emit("ended", { upstream, client: session.peer, code });
  }

  relayed(upstream: string, session: Session, reason: RawReason): void {
    if (reason === "ruok") return;
    const told = this.unrepaired.count(upstream, reason, performance.now());
    if (told === undefined) return;
    const { since, total } = told;
    this.#logger.warn(
      { upstream, client: session.peer, reason, since, total },
      "a connection is relayed byte for byte: nothing is repaired on it",
    );
  }

  // --- upstreams --------------------------------------------------------------------------------------------------

  listening(upstream: Upstream): void {
    const address = upstream.listen ?? "";
    this.#logger.info({ upstream: upstream.name, address, server: upstream.serverAddress }, "listening");
    this.#emit("listening", { upstream: upstream.name, address });
  }

  down(upstream: Upstream, reason: string): void {
    const address = upstream.serverAddress;
    this.#logger.error({ upstream: upstream.name, server: address, reason }, "the server is down: not listening");
    this.#emit("down", { upstream: upstream.name, address });
  }

  blocked(upstream: Upstream, reason: string): void {
    this.#logger.error(
      { upstream: upstream.name, address: upstream.listen, reason },
      "the listening address is taken: trying again",
    );
  }

  up(upstream: Upstream, downMs: number): void {
    this.#logger.info({ upstream: upstream.name, server: upstream.serverAddress, downMs }, "the server is back");
  }

  /** A listener that throws is its owner's affair: it must not come between what the proxy is doing. */
  #emit<Name extends keyof ProxyEvents>(name: Name, event: ProxyEvents[Name][0]): void {
    try {
      (this.#events as EventEmitter).emit(name, event);
    } catch (error) {
      process.nextTick(() => {
        throw error;
      });
    }
  }
}

/** Ends that are no fault of anyone's bytes. */
const QUIET_ENDS = {
  "incomplete-undo": true,
  "invalidation-out-of-order": true,
  "commit-out-of-order": true,
  "copied-history": true,
  "unknown-commit": true,
  "database-changed": true,
};

function hexOids(oids: OidSet, most: number): string[] {
  const hex: string[] = [];
  for (let at = 0; at < oids.length && hex.length < most; at += ID_BYTES)
    hex.push(oids.toString("hex", at, at + ID_BYTES));
  return hex;
}
