import { parseDuration } from "../../config/units.ts";
import { asTid, NO_TID, tidAt, type Tid } from "../../wire/ids.ts";

const TID = /^(?:0x)?([0-9a-fA-F]{16})$/;
/** A date, or a date and a time; UTC where no zone is named. */
const TIME = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?$/;

/**
 * Where to begin: a tid (behind it), a moment or a time ago such as `2h` (what was committed since then), or `start`.
 * @returns the tid behind which to read; undefined when the text is anything else
 */
export function parseSince(text: string, nowMs: number): Tid | undefined {
  if (text === "start") return NO_TID;
  const [, hex] = TID.exec(text) ?? [];
  if (hex !== undefined) return asTid(BigInt(`0x${hex}`));
  const ago = parseDuration(text);
  const ms = ago !== undefined ? nowMs - ago : TIME.test(text) ? momentOf(text) : Number.NaN;
  if (Number.isNaN(ms) || ms < Date.UTC(1900, 0, 1)) return undefined;
  const tid = tidAt(ms);
  return tid === NO_TID ? tid : asTid(tid - 1n);
}

function momentOf(text: string): number {
  const iso = text.replace(" ", "T");
  if (!iso.includes("T")) return Date.parse(`${iso}T00:00:00Z`);
  return Date.parse(/(?:Z|[+-]\d\d:?\d\d)$/.test(iso) ? iso : `${iso}Z`);
}
