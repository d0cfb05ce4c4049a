import { tidBytes } from "../wire/ids.ts";
import { StorageFault } from "./faults.ts";
import type { Method } from "./method.ts";

/**
 * Binds the connection to a storage. Old servers reply None, new ones the last tid. A refused one may be tried again:
 * clients fall back to read-only in this way.
 */
export const register: Method = (caller, args) => {
  if (caller.hosted !== undefined) {
    throw new StorageFault({ kind: "value", reason: "duplicate register() call" });
  }
  const id = args.text(0);
  const hosted = caller.storages.get(id);
  if (hosted === undefined) throw new StorageFault({ kind: "value", reason: `unknown storage: ${id}` });
  const readOnly = args.truth(1);
  if (!readOnly && (caller.readOnly || hosted.storage.readOnly)) throw new StorageFault({ kind: "read-only" });
  caller.readOnly ||= readOnly;
  caller.hosted = hosted;
  hosted.registrants.push(caller);
  return caller.style.family === "old" ? null : tidBytes(hosted.storage.lastTransaction());
};
