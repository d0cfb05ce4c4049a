import { tidTimeMs, type Tid } from "../wire/ids.ts";

const MINUTE_MS = 60_000;

let minute = Number.NaN;
/** The date, hour and minute of it. */
let prefix = "";

/**
 * The moment that a tid names, as an ISO time. All but seconds is kept for the next one, as nearly all tids are of the same
 * minute as the last one: to write a date whole is a tenth of what a repair's line costs.
 */
export function tidTime(tid: Tid): string {
  const ms = Math.trunc(tidTimeMs(tid));
  const its = Math.floor(ms / MINUTE_MS);
  if (its !== minute) {
    prefix = new Date(its * MINUTE_MS).toISOString().slice(0, -"00.000Z".length);
    minute = its;
  }
  const digits = String(ms - its * MINUTE_MS).padStart(5, "0");
  return `${prefix}${digits.slice(0, 2)}.${digits.slice(2)}Z`;
}
