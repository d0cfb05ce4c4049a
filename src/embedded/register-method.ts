import { tidBytes } from "../wire/ids.ts";
import { StorageFault } from "./faults.ts";
import type { Method } from "./method.ts";

/**
 * Binds the connection to a storage. Old servers reply None, new ones the last tid. A refused one may be tried again:
 * clients fall back to read-only in this way.
 */
export const register: Method = (session, args) => {
  if (session.hosted !== undefined) {
    throw new StorageFault({ kind: "value", reason: "duplicate register() call" });
  }
  const id = args.text(0);
  const hosted = session.storages.get(id);
  if (hosted === undefined) throw new StorageFault({ kind: "value", reason: `unknown storage: ${id}` });
  const readOnly = args.truth(1);
  if (!readOnly && (session.readOnly || hosted.storage.readOnly)) throw new StorageFault({ kind: "read-only" });
  session.readOnly ||= readOnly;
  session.hosted = hosted;
  hosted.sessions.push(session);
  return session.style.family === "old" ? null : tidBytes(hosted.storage.lastTransaction());
};
