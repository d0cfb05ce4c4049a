import { writer, type FrameWriter } from "./frame-writer.ts";
import { NO_OIDS, type Answer, type AnswerKind, type Outcome, type Request } from "./message.ts";
import { dataOf } from "./requests.ts";
import type { Style } from "./style.ts";

const POS = "ZODB.POSException";

interface Details {
  readonly request?: Request;
  readonly outcome?: Outcome;
  readonly tid?: number;
  readonly oids?: readonly number[];
  readonly shows?: number;
  readonly asTuple?: boolean;
}

function answer(kind: AnswerKind, frame: Buffer, computedAt: number, details: Details): Answer {
  const { request, outcome = "done", tid = 0, oids = NO_OIDS, shows = 0, asTuple = false } = details;
  return { frame, kind, request, outcome, tid, oids, shows, computedAt, isDone: false, asTuple };
}

function reply(style: Style, to: Request, flags = 0): FrameWriter {
  return writer.begin(style, to.id, flags, ".reply");
}

export function none(style: Style, request: Request, at: number, outcome: Outcome = "done"): Answer {
  reply(style, request).none();
  return answer("reply", writer.finish(), at, { request, outcome });
}

/** A reply that is a tid, and evidence of it. */
export function tidReply(style: Style, request: Request, at: number, tid: number): Answer {
  reply(style, request).tid(tid);
  return answer("reply", writer.finish(), at, { request, tid, shows: tid });
}

/** Of an object that was loaded; `before` as `loadBefore` has it: with the tid that ended it, or None. */
export function loaded(
  style: Style,
  request: Request,
  at: number,
  serial: number,
  end: number | undefined,
  size: number,
): Answer {
  const w = reply(style, request);
  const count = end === undefined && !style.hasVersions ? 2 : end === undefined ? 2 : 3;
  w.tuple(count).bytes(dataOf(size)).tid(serial);
  if (end === 0) w.none();
  else if (end !== undefined) w.tid(end);
  w.tupleEnd(count);
  const shows = Math.max(serial, end ?? 0);
  return answer("reply", writer.finish(), at, { request, tid: end === undefined || end === 0 ? serial : 0, shows });
}

/** Of a call whose reply shows nothing: oids, a size, a name. */
export function plain(style: Style, request: Request, at: number): Answer {
  const w = reply(style, request);
  switch (request.method) {
    case "new_oids": {
      const oids = Array.from({ length: 10 }, (_, i) => 100_000 + i);
      w.list(oids.length);
      for (const oid of oids) w.oid(oid);
      w.listEnd(oids.length);
      break;
    }
    case "get_info":
      w.dict(2).name("name").name("a storage").name("length").int(at).dictEnd(2);
      break;
    case "getSize":
      w.int(at);
      break;
    default:
      w.none();
  }
  return answer("reply", writer.finish(), at, { request });
}

/** `getInvalidations`; undefined: too long ago. */
export function invalidationsReply(
  style: Style,
  request: Request,
  at: number,
  value: { tid: number; oids: readonly number[] } | undefined,
): Answer {
  const w = reply(style, request);
  if (value === undefined) {
    w.none();
    return answer("reply", writer.finish(), at, { request, outcome: "none" });
  }
  w.tuple(2).tid(value.tid).oids(value.oids).tupleEnd(2);
  const { tid, oids } = value;
  return answer("reply", writer.finish(), at, { request, tid, oids, shows: tid });
}

export function invalidationFrame(style: Style, tid: number, oids: readonly number[], asTuple: boolean): Buffer {
  const flag = style.isOneWayTrue ? true : 1;
  writer.begin(style, 0, flag, "invalidateTransaction").tuple(2).tid(tid).oids(oids, asTuple).tupleEnd(2);
  return writer.finish();
}

export function invalidation(style: Style, tid: number, oids: readonly number[], asTuple: boolean): Answer {
  const frame = invalidationFrame(style, tid, oids, asTuple);
  return answer("invalidation", frame, tid, { tid, oids, asTuple, shows: tid });
}

export function info(style: Style, at: number): Answer {
  const w = writer.begin(style, 0, style.isOneWayTrue ? true : 1, "info").tuple(1);
  w.dict(2).name("length").int(at).name("size").int(at).dictEnd(2).tupleEnd(1);
  return answer("oneWay", writer.finish(), at, {});
}

/** A blob's bytes, in pieces of a few hundred. */
export function blob(style: Style, { oid, tid }: Request, at: number, size: number): Answer[] {
  const part = (name: string, bytes: Buffer | undefined): Answer => {
    const w = writer.begin(style, 0, style.isOneWayTrue ? true : 1, name).tuple(bytes === undefined ? 2 : 3);
    w.oid(oid).tid(tid);
    if (bytes !== undefined) w.bytes(bytes);
    w.tupleEnd(bytes === undefined ? 2 : 3);
    return answer("oneWay", writer.finish(), at, {});
  };
  const piece = 100 + (size >> 1);
  const parts = [part("receiveBlobStart", undefined)];
  for (let sent = 0; sent < size; sent += piece) {
    parts.push(part("receiveBlobChunk", dataOf(Math.min(piece, size - sent))));
  }
  return [...parts, part("receiveBlobStop", undefined)];
}

/** Old: how each store went; the last one may have been refused. */
export function serialnos(
  style: Style,
  at: number,
  stored: readonly number[],
  pending: number,
  refused: { oid: number; committed: number; own: number } | undefined,
): Answer {
  const count = stored.length + (refused === undefined ? 0 : 1);
  const w = writer.begin(style, 0, 1, "serialnos").tuple(1).list(count);
  for (const oid of stored) w.tuple(2).oid(oid).tid(pending).tupleEnd(2);
  if (refused !== undefined) {
    w.tuple(2).oid(refused.oid);
    conflictInstance(w, refused);
    w.tupleEnd(2);
  }
  w.listEnd(count).tupleEnd(1);
  return answer("oneWay", writer.finish(), at, { shows: refused?.committed ?? 0 });
}

/** New: an exception's flags are 2. Old: a pair of a class and an instance. */
export function exception(style: Style, request: Request, at: number, name: string, oid = 0): Answer {
  const isOld = style.family === "old";
  const w = reply(style, request, isOld ? 0 : 2).tuple(2);
  if (isOld) {
    w.global(POS, name).global(POS, "_recon").tuple(2).global(POS, name);
    w.dict(1).name("args").tuple(1).oid(oid).tupleEnd(1).dictEnd(1).tupleEnd(2).reduce();
  } else {
    w.name(`${POS}.${name}`).tuple(1).oid(oid).tupleEnd(1);
  }
  w.tupleEnd(2);
  return answer("reply", writer.finish(), at, { request, outcome: "exception" });
}

/** New: a vote that failed by a conflict, which names the committed serial. */
export function conflict(
  style: Style,
  request: Request,
  at: number,
  c: { oid: number; committed: number; own: number },
): Answer {
  const w = reply(style, request, 2).tuple(2).name(`${POS}.ConflictError`).dict(2);
  w.name("oid").oid(c.oid).name("serials").tuple(2).tid(c.committed).tid(c.own).tupleEnd(2).dictEnd(2).tupleEnd(2);
  return answer("reply", writer.finish(), at, { request, outcome: "exception", shows: c.committed });
}

/** New: conflicts that the client is to resolve. */
export function conflicts(
  style: Style,
  request: Request,
  at: number,
  list: readonly { oid: number; committed: number; own: number }[],
): Answer {
  const w = reply(style, request).list(list.length);
  for (const c of list) {
    w.dict(3).name("oid").oid(c.oid).name("serials").tuple(2).tid(c.committed).tid(c.own).tupleEnd(2);
    w.name("data").bytes(dataOf(20)).dictEnd(3);
  }
  w.listEnd(list.length);
  const shows = list.reduce((most, { committed }) => Math.max(most, committed), 0);
  const oids = list.map(({ oid }) => oid);
  return answer("reply", writer.finish(), at, { request, outcome: "conflicts", oids, shows });
}

/** New: a vote that was granted; `undone` are the objects that the storage has changed by itself. */
export function granted(style: Style, request: Request, at: number, undone: readonly number[]): Answer {
  const w = reply(style, request);
  if (style.family === "old") w.none();
  else {
    w.list(undone.length);
    for (const oid of undone) w.oid(oid);
    w.listEnd(undone.length);
  }
  return answer("reply", writer.finish(), at, { request, oids: undone });
}

function conflictInstance(w: FrameWriter, c: { oid: number; committed: number; own: number }): void {
  w.global(POS, "_recon").tuple(2).global(POS, "ConflictError").dict(2);
  w.name("oid").oid(c.oid).name("serials").tuple(2).tid(c.committed).tid(c.own).tupleEnd(2).dictEnd(2).tupleEnd(2);
  w.reduce();
}

/** An iterator's id. */
export function number(style: Style, request: Request, at: number, value: number): Answer {
  reply(style, request).int(value);
  return answer("reply", writer.finish(), at, { request });
}

/** What an iterator gives: a transaction's head (`oid` is 0), or a record. */
export function item(style: Style, request: Request, at: number, tid: number, oid: number): Answer {
  const w = reply(style, request);
  if (oid === 0) w.tuple(5).tid(tid).name(" ").bytes(dataOf(4)).bytes(dataOf(8)).dict(0).dictEnd(0).tupleEnd(5);
  else
    w.tuple(4)
      .oid(oid)
      .tid(tid)
      .bytes(dataOf(10 + ((oid * 37) % 200)))
      .none()
      .tupleEnd(4);
  return answer("reply", writer.finish(), at, { request, tid, shows: tid });
}

/** One of Python's own exceptions. */
export function failed(style: Style, request: Request, at: number, name: string): Answer {
  const isOld = style.family === "old";
  const w = reply(style, request, isOld ? 0 : 2).tuple(2);
  const module = style.isPython2 ? "exceptions" : "builtins";
  if (isOld) w.global(module, name).global(module, name).tuple(1).name("no").tupleEnd(1).reduce();
  else w.name(`${module}.${name}`).tuple(1).name("no").tupleEnd(1);
  w.tupleEnd(2);
  return answer("reply", writer.finish(), at, { request, outcome: "exception" });
}
