import { ID_BYTES, NO_TID, readTid } from "../wire/ids.ts";
import type { Tid } from "../wire/ids.ts";
import type { Value } from "../wire/value.ts";

/** The tid that a value is; `NO_TID` where it is something else. */
export function tidOfReply(value: Value): Tid {
  return Buffer.isBuffer(value) && value.length === ID_BYTES ? readTid(value) : NO_TID;
}
