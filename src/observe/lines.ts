import type { Logger } from "pino";
import type { RepairEvent, ResumeEvent } from "../proxy/api.ts";

/** The line of a repaired transaction; one for each, whatever the number of clients. */
export function logRepair(logger: Logger, event: RepairEvent): void {
  const { upstream, storage, tid, time, repair, created, restored, deleted, oids, completed, synthesized } = event;
  logger.info(
    { upstream, storage, tid, time, repair, created, restored, deleted, oids, completed, synthesized },
    "invalidation repaired",
  );
}

/** The line of a repaired `getInvalidations` reply. */
export function logResume(logger: Logger, event: ResumeEvent): void {
  const { upstream, storage, from, tid } = event;
  logger.info({ upstream, storage, repair: "resumed", from, tid }, "getInvalidations repaired");
}
