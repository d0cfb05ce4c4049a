import type { Logger } from "pino";
import { ENDS } from "../happening/ends.ts";
import type { Happening, RefusalReason } from "../happening/happening.ts";
import { tidHex } from "../wire/ids.ts";
import { Hourly } from "./hourly.ts";
import { writeObserved } from "./observed-lines.ts";
import { repairOf, type RepairLines } from "./repair.ts";

/** Of these the line about TLS says more. */
const TOLD_AS_TLS: ReadonlySet<RefusalReason> = new Set(["tls-failed", "tls-timeout", "too-many-handshakes"]);

/** Writes a line for each happening that an operator wants to know of. */
export function writeLines(logger: Logger, lines: RepairLines): (happening: Happening) => void {
  const hourly = new Hourly();
  const writeWhatWouldBe = writeObserved(logger, lines, hourly);
  /** Upstreams whose listening address was told to be taken. */
  const blocked = new Set<string>();
  return (happening) => {
    switch (happening.what) {
      case "repaired":
        // To put it together for nobody would cost as much as to write it.
        if (lines.repairs === "each" && logger.isLevelEnabled("info")) {
          logger.info(repairOf(happening, lines.oids), "invalidation repaired");
        }
        return;
      case "resumed": {
        const { upstream, storage, client, from, tid, reach } = happening;
        const fields = { upstream, storage, client, from: tidHex(from) };
        if (tid !== undefined) {
          if (lines.repairs === "each") {
            logger.info({ ...fields, repair: "resumed", tid: tidHex(tid) }, "getInvalidations repaired");
          }
        } else {
          const reaches = reach !== undefined && from >= reach;
          logger.info(
            { ...fields, reach: reach === undefined ? undefined : tidHex(reach) },
            reaches
              ? "getInvalidations answered None: what has changed since is not all known, or is too much"
              : "getInvalidations answered None: the history does not reach back so far",
          );
        }
        return;
      }
      case "not-resumed": {
        const { upstream, storage, client, from } = happening;
        const fields = { upstream, storage, client, from: tidHex(from) };
        logger.info(fields, "getInvalidations answered None: the server itself does not reach back so far");
        return;
      }
      case "in-limbo": {
        const { upstream, storage, client } = happening;
        const fields = { upstream, storage, client };
        logger.warn(fields, "a transaction whose fate nobody knows: no reply to its tpc_finish, or an exception");
        return;
      }
      case "foreign": {
        const { upstream, storage, tid, isRead } = happening;
        // Told with its repair.
        if (isRead) return;
        const told = hourly.count(upstream, `foreign ${storage}`, performance.now());
        if (told === undefined) return;
        logger.warn(
          { upstream, storage, tid: tidHex(tid), ...told },
          "a commit that did not pass through here: relayed as the server told it, perhaps without created objects",
        );
        return;
      }
      case "unwatched": {
        const { upstream, storage, family, reason } = happening;
        // Anybody who can connect can ask for storages that there are not, with ever other names.
        const counts = reason === "no-storage" ? hourly.count(upstream, reason, performance.now()) : {};
        if (counts === undefined) return;
        logger.warn(
          { upstream, storage, family, reason, ...counts },
          "there is no witness: commits that do not pass through here are relayed as the server tells them",
        );
        return;
      }
      case "watched": {
        const { upstream, storage, family } = happening;
        logger.warn(
          { upstream, storage, family },
          "the witness is there: commits that do not pass through here are read",
        );
        return;
      }
      case "old-answer": {
        const { upstream, storage, client, repair, oid, tid } = happening;
        if (lines.repairs !== "each") return;
        const fields = { upstream, storage, client, repair, oid: oid.toString("hex"), tid: tidHex(tid) };
        logger.info(fields, "an old answer repaired");
        return;
      }
      case "told-late": {
        const { upstream, storage, client, tid } = happening;
        const told = hourly.count(upstream, `late ${storage}`, performance.now());
        if (told === undefined) return;
        logger.warn(
          { upstream, storage, client, tid: tidHex(tid), ...told },
          "the server told of a commit behind a later one: its client is told under the later one's tid",
        );
        return;
      }
      case "copied-history": {
        const { upstream, storage, client, tid, known } = happening;
        logger.warn(
          { upstream, storage, client, tid: tidHex(tid), known: tidHex(known) },
          "a transaction was copied to a place before known ones: the next commit ends the storage's other sessions, to verify",
        );
        return;
      }
      case "ledger-ended": {
        const { upstream, storage, tid, proven } = happening;
        logger.warn(
          { upstream, storage, tid: tidHex(tid), known: tidHex(proven) },
          "the server's last transaction is older than a known one: another database or a backup; its sessions end",
        );
        return;
      }
      case "set-back-again": {
        const { upstream, storage, server, address, addresses, times } = happening;
        const told = hourly.count(upstream, `set back ${storage}`, performance.now());
        if (told === undefined) return;
        logger.error(
          { upstream, storage, server, address, addresses, times, ...told },
          "the server's last transaction was older again: are these several servers? Its clients' reads can be stale",
        );
        return;
      }
      case "held-long": {
        const { upstream, storage, client, heldMs } = happening;
        logger.warn({ upstream, storage, client, heldMs }, "a message is held for over a second");
        return;
      }
      case "held-over": {
        const { upstream, storage, client, heldMs } = happening;
        logger.warn({ upstream, storage, client, heldMs }, "a message that was held has gone out");
        return;
      }
      case "failed": {
        const { upstream, storage, error: err } = happening;
        logger.error({ upstream, storage, err }, "an unexpected error");
        return;
      }
      case "opened":
        logger.debug({ upstream: happening.upstream, client: happening.client }, "client connected");
        return;
      case "closed": {
        const { upstream, client, facts } = happening;
        logger.debug({ upstream, client, ...facts }, "client disconnected");
        return;
      }
      case "relayed": {
        const { upstream, client, reason } = happening;
        const told = reason === "ruok" ? undefined : hourly.count(upstream, reason, performance.now());
        if (told === undefined) return;
        const fields = { upstream, client, reason, ...told };
        const isLost = reason === "lost";
        logger.warn(
          fields,
          isLost
            ? "a connection that was observed could not be followed any further: nothing is repaired on it until it is closed"
            : "a connection is relayed byte for byte: nothing is repaired on it",
        );
        return;
      }
      case "ended": {
        const { upstream, storage, client, end } = happening;
        const { code, fault, detail: got, offset, expected, cause } = end;
        const { told } = ENDS[code];
        const counts = told === "hourly" ? hourly.count(upstream, `${code} ${fault}`, performance.now()) : {};
        if (counts === undefined) return;
        const fields = { upstream, storage, client, code, fault, offset, expected, got, ...counts };
        if (told === "verify") {
          logger.warn(fields, "session ended, so that its client verifies its cache");
        } else {
          logger.error({ ...fields, ...(cause !== undefined && { err: cause }) }, "session ended");
        }
        return;
      }
      case "listening": {
        const { upstream, address, server, isAgain } = happening;
        // What has begun at a level ends at that level.
        const level = blocked.delete(upstream) ? "error" : isAgain ? "debug" : "info";
        logger[level]({ upstream, address, server }, "listening");
        return;
      }
      case "down": {
        const { upstream, server, reason } = happening;
        logger.error({ upstream, server, reason }, "the server is down: not listening");
        return;
      }
      case "blocked": {
        const { upstream, address, reason } = happening;
        blocked.add(upstream);
        logger.error({ upstream, address, reason }, "the listening address can't be had: trying again");
        return;
      }
      case "trouble": {
        const { upstream, reason } = happening;
        logger.error({ upstream, reason }, "this machine can't make connections: not listening");
        return;
      }
      case "trouble-over": {
        const { upstream, lastedMs } = happening;
        logger.error({ upstream, lastedMs }, "this machine can make connections again");
        return;
      }
      case "full":
        logger.warn({ clients: happening.clients }, "limits.clients is reached: not listening");
        return;
      case "room":
        logger.warn({ lastedMs: happening.lastedMs }, "there is room for clients again");
        return;
      case "refused": {
        const { upstream, client, reason } = happening;
        if (TOLD_AS_TLS.has(reason)) return;
        const told = hourly.count(upstream, `refused ${reason}`, performance.now());
        if (told === undefined) return;
        logger.warn({ upstream, client, reason, ...told }, "a client is refused: closed as soon as it has connected");
        return;
      }
      case "unguarded": {
        const { upstream, address, against } = happening;
        const fields = { upstream, address };
        if (against === "anybody") logger.warn(fields, "everybody who reaches this address is served: no allow list");
        else
          logger.warn(fields, "everybody who reaches this address may name any other as his: accept-proxy has no list");
        return;
      }
      case "few-descriptors": {
        const { clients, needed, allowed } = happening;
        logger.warn({ clients, needed, allowed }, "the limit of open files is too low for limits.clients");
        return;
      }
      case "several-addresses": {
        const { upstream, server, addresses } = happening;
        const told = hourly.count(upstream, "several addresses", performance.now());
        if (told === undefined) return;
        logger.error(
          { upstream, server, addresses, ...told },
          "several addresses answer at once: if these are several servers, clients' reads can be stale without a sign",
        );
        return;
      }
      case "tls-failed": {
        const { upstream, party, peer, reason } = happening;
        const told = hourly.count(upstream, `tls ${party} ${reason}`, performance.now());
        if (told === undefined) return;
        const isClient = party === "client";
        const fields = { upstream, [party]: peer, reason, ...told };
        logger.warn(fields, isClient ? "TLS with a client failed" : "TLS with the server failed");
        return;
      }
      case "unverified":
        logger.warn(
          { upstream: happening.upstream },
          "server-tls.verify is off: whoever answers at the server's address is taken for it",
        );
        return;
      case "moved": {
        const { upstream, from, to } = happening;
        logger.error({ upstream, from, to }, "another server takes the place of the one that is down");
        return;
      }
      case "up": {
        const { upstream, server, downMs } = happening;
        logger.error({ upstream, server, downMs }, "the server is back");
        return;
      }
      case "observed":
        writeWhatWouldBe(happening.happening);
        return;
      case "admin-listening":
        logger.info({ address: happening.address }, "admin listening");
        return;
      case "admin-failed":
        logger.error({ err: happening.error }, "an unexpected error");
        return;
      case "committed":
      case "announced":
      case "asked":
    }
  };
}
