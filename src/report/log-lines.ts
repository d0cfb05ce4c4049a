import type { Logger } from "pino";
import { ENDS } from "../happening/ends.ts";
import type { Happening } from "../happening/happening.ts";
import { tidHex } from "../wire/ids.ts";
import { Hourly } from "./hourly.ts";
import { repairOf } from "./repair.ts";

/** Writes a line for each happening that an operator wants to know of. Of a repair at most `maxOids` oids are named. */
export function writeLines(logger: Logger, maxOids: number): (happening: Happening) => void {
  const hourly = new Hourly();
  return (happening) => {
    switch (happening.what) {
      case "repaired":
        logger.info(repairOf(happening, maxOids), "invalidation repaired");
        return;
      case "resumed": {
        const { upstream, storage, from, tid, reach } = happening;
        const fields = { upstream, storage, from: tidHex(from) };
        if (tid !== undefined) {
          logger.info({ ...fields, repair: "resumed", tid: tidHex(tid) }, "getInvalidations repaired");
        } else {
          logger.info(
            { ...fields, reach: reach === undefined ? undefined : tidHex(reach) },
            "getInvalidations answered None: the history does not reach back so far",
          );
        }
        return;
      }
      case "foreign": {
        const { upstream, storage, tid } = happening;
        const told = hourly.count(upstream, `foreign ${storage}`, performance.now());
        if (told === undefined) return;
        logger.warn(
          { upstream, storage, tid: tidHex(tid), ...told },
          "a commit that did not pass through here: relayed as the server told it, perhaps without created objects",
        );
        return;
      }
      case "copied-history": {
        const { upstream, storage, tid, known } = happening;
        logger.warn(
          { upstream, storage, tid: tidHex(tid), known: tidHex(known) },
          "a transaction was copied to a place before known ones: the storage's other sessions end, so that they verify",
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
      case "held-long": {
        const { upstream, storage, heldMs } = happening;
        logger.warn({ upstream, storage, heldMs }, "a message is held for over a second");
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
        logger.warn(
          { upstream, client, reason, ...told },
          "a connection is relayed byte for byte: nothing is repaired on it",
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
        logger[isAgain ? "debug" : "info"]({ upstream, address, server }, "listening");
        return;
      }
      case "down": {
        const { upstream, server, reason } = happening;
        logger.error({ upstream, server, reason }, "the server is down: not listening");
        return;
      }
      case "blocked": {
        const { upstream, address, reason } = happening;
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
      case "few-descriptors": {
        const { clients, needed, allowed } = happening;
        logger.warn({ clients, needed, allowed }, "the limit of open files is too low for limits.clients");
        return;
      }
      case "up": {
        const { upstream, server, downMs } = happening;
        logger.info({ upstream, server, downMs }, "the server is back");
        return;
      }
      case "announced":
      case "asked":
    }
  };
}
