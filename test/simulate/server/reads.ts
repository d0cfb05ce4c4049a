import { exception, invalidationsReply, loaded, none, plain, tidReply } from "../answers.ts";
import { NEWEST } from "../frame-writer.ts";
import type { Answer, Request } from "../message.ts";
import type { Mix } from "../mix.ts";
import type { Style } from "../style.ts";
import type { Server } from "./server.ts";

/** The answer to a call that changes nothing. */
export function reply(server: Server, style: Style, request: Request): Answer {
  const { truth } = server;
  const at = truth.last;
  switch (request.kind) {
    case "lastTransaction":
      return tidReply(style, request, at, server.readable);
    case "getInvalidations":
      return invalidationsReply(style, request, at, since(server, request.tid));
    case "load": {
      const serial = truth.serial(request.oid);
      if (serial === 0) return exception(style, request, at, "POSKeyError", request.oid);
      return loaded(style, request, at, serial, undefined, sizeOf(server.scene.mix, request.oid));
    }
    case "loadBefore": {
      const { oid, tid } = request;
      const { serial, end } = tid === NEWEST ? { serial: truth.serial(oid), end: 0 } : truth.before(oid, tid);
      if (serial === 0) {
        // Never there, or not yet.
        if (tid === NEWEST) return exception(style, request, at, "POSKeyError", oid);
        return none(style, request, at, "none");
      }
      return loaded(style, request, at, serial, end, sizeOf(server.scene.mix, oid));
    }
    default:
      if (request.method !== "getTid") return plain(style, request, at);
      if (truth.serial(request.oid) === 0) return exception(style, request, at, "POSKeyError", request.oid);
      return tidReply(style, request, at, truth.serial(request.oid));
  }
}

/** Undefined: it does not know what happened so long ago. */
function since(server: Server, tid: number): { tid: number; oids: readonly number[] } | undefined {
  const { queue } = server;
  const newest = queue.at(-1);
  const oldest = queue[0];
  if (newest === undefined || oldest === undefined || oldest.tid > tid) return undefined;
  const oids = new Set<number>();
  for (let i = queue.length - 1; i >= 0; i--) {
    const entry = queue[i];
    if (entry === undefined || entry.tid <= tid) break;
    for (const oid of entry.oids) oids.add(oid);
  }
  return { tid: newest.tid, oids: [...oids] };
}

/** Some objects are larger than every buffer. */
export function sizeOf({ largeBytes }: Mix, oid: number): number {
  if (oid % 11 === 7) return largeBytes;
  return 10 + ((oid * 37) % 200);
}
