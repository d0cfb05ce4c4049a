import type { Logger } from "pino";
import { ENDS } from "../happening/ends.ts";
import type { Observed } from "../happening/happening.ts";
import { tidHex } from "../wire/ids.ts";
import type { Hourly } from "./hourly.ts";
import { repairOf, type RepairLines } from "./repair.ts";

/** Writes the lines of what an observed session, or its storage, would have led to if it were repaired. */
export function writeObserved(logger: Logger, lines: RepairLines, hourly: Hourly): (observed: Observed) => void {
  return (observed) => {
    switch (observed.what) {
      case "repaired":
        if (lines.repairs === "each" && logger.isLevelEnabled("info")) {
          logger.info(repairOf(observed, lines.oids), "invalidation would be repaired");
        }
        return;
      case "resumed": {
        const { upstream, storage, client, from, tid } = observed;
        const fields = { upstream, storage, client, from: tidHex(from) };
        if (tid === undefined) logger.info(fields, "getInvalidations would be answered None");
        else if (lines.repairs === "each") {
          logger.info({ ...fields, repair: "resumed", tid: tidHex(tid) }, "getInvalidations would be repaired");
        }
        return;
      }
      case "old-answer": {
        const { upstream, storage, client, repair, oid, tid } = observed;
        if (lines.repairs !== "each") return;
        const fields = { upstream, storage, client, repair, oid: oid.toString("hex"), tid: tidHex(tid) };
        logger.info(fields, "an old answer would be repaired");
        return;
      }
      case "ended": {
        const { upstream, storage, client, end } = observed;
        const { code, fault, detail: got, offset, expected, cause: err } = end;
        const counts = hourly.count(upstream, `observed ${code} ${fault}`, performance.now());
        if (counts === undefined) return;
        // A bug of the proxy's is one here, too.
        const level = fault === "proxy" ? "error" : ENDS[code].told === "verify" ? "info" : "warn";
        logger[level](
          {
            upstream,
            storage,
            client,
            code,
            fault,
            offset,
            expected,
            got,
            ...counts,
            ...(err !== undefined && { err }),
          },
          "session would be ended: it is not observed any further",
        );
        return;
      }
      case "copied-history": {
        const { upstream, storage, client, tid, known } = observed;
        const fields = { upstream, storage, client, tid: tidHex(tid), known: tidHex(known) };
        logger.warn(fields, "a transaction was copied to a place before known ones: sessions would be ended");
        return;
      }
      case "ledger-ended": {
        const { upstream, storage, tid, proven } = observed;
        logger.warn(
          { upstream, storage, tid: tidHex(tid), known: tidHex(proven) },
          "the server's last transaction is older than a known one: sessions would be ended",
        );
        return;
      }
      case "announced":
    }
  };
}
