/**
 * Compares what went through the proxy on its two sides, frame by frame.
 *
 * The proxy may complete an invalidation or a getInvalidations reply, make an invalidation up, move one ahead of
 * other messages, and ask questions of its own. Everything else must pass byte for byte, in order.
 */

import type { RecordedConnection } from "./relay.ts";

export interface Comparison {
  /** Frames of the server that reached the client as they were. */
  same: number;
  /** Invalidations and getInvalidations replies that the proxy wrote anew: what became of what. */
  readonly changed: string[];
  /** Invalidations that went ahead of frames that the server wrote before them. */
  moved: number;
  /** Invalidations that the server never sent. */
  madeUp: number;
  /** The same, but behind the server's last frame, on a connection that is just ending. */
  madeUpAtTheEnd: number;
  /** Calls of the proxy's own. */
  questions: number;
  /** What the proxy must not do. */
  readonly problems: string[];
}

/** The method's name stands near a message's start in every encoding. */
function isInvalidation(frame: Buffer): boolean {
  return frame.subarray(0, 48).includes("invalidateTransaction");
}

function isLastTransaction(frame: Buffer): boolean {
  return frame.length < 80 && frame.includes("lastTransaction");
}

function isReply(frame: Buffer): boolean {
  return frame.subarray(0, 48).includes(".reply");
}

/** `client` was recorded between client and proxy, `server` between proxy and server. */
export function compare(client: RecordedConnection, server: RecordedConnection, into: Comparison): void {
  const asked = compareCalls(client.fromClient.frames, server.fromClient.frames, into);
  compareAnswers(server.fromServer.frames, client.fromServer.frames, asked, into);
}

/** What the client wrote arrives, and between it only questions. Returns their number. */
function compareCalls(written: readonly Buffer[], arrived: readonly Buffer[], into: Comparison): number {
  let next = 0;
  let asked = 0;
  for (const frame of arrived) {
    const expected = written[next];
    if (expected?.equals(frame) === true) next++;
    else if (isLastTransaction(frame)) asked++;
    else {
      into.problems.push(`the server received a frame that the client did not write: ${excerpt(frame)}`);
      return asked;
    }
  }
  // A client that leaves may have written more than the proxy still had to pass on.
  into.questions += asked;
  return asked;
}

function compareAnswers(written: readonly Buffer[], arrived: readonly Buffer[], asked: number, into: Comparison): void {
  const others = (frames: readonly Buffer[]): Buffer[] => frames.filter((frame) => !isInvalidation(frame));
  const arrivedOthers = others(arrived);
  let next = 0;
  let answers = 0;
  for (const frame of others(written)) {
    const got = arrivedOthers[next];
    if (got?.equals(frame) === true) {
      next++;
      into.same++;
    } else if (answers < asked && frame.length < 80 && isReply(frame)) {
      answers++;
    } else if (got !== undefined && isReply(frame) && isReply(got) && looksResumed(frame) && looksResumed(got)) {
      next++;
      into.changed.push(`${excerpt(frame)} became ${excerpt(got)}`);
    } else if (got !== undefined) {
      into.problems.push(`the client received ${excerpt(got)} where the server wrote ${excerpt(frame)}`);
      return;
    } else break; // The client left before.
  }
  if (next < arrivedOthers.length) {
    into.problems.push(`the client received a frame that the server did not write: ${excerpt(arrivedOthers[next])}`);
  }
  compareInvalidations(written, arrived, into);
}

/** By tid, since the proxy may have rewritten them. */
function compareInvalidations(written: readonly Buffer[], arrived: readonly Buffer[], into: Comparison): void {
  const sent = positions(written);
  const lastSent = [...sent.keys()].at(-1) ?? "";
  const others = arrived.filter((frame) => !isInvalidation(frame)).length;
  for (const [tid, got] of positions(arrived)) {
    const original = sent.get(tid);
    if (original === undefined) {
      if (got.others === others && tid > lastSent) into.madeUpAtTheEnd++;
      else into.madeUp++;
      continue;
    }
    if (original.frame.equals(got.frame)) into.same++;
    else into.changed.push(`${excerpt(original.frame)} became ${excerpt(got.frame)}`);
    if (got.others < original.others) into.moved++;
    else if (got.others > original.others) {
      into.problems.push(`the invalidation of ${tid} went behind a frame that the server wrote after it`);
    }
  }
}

interface Placed {
  readonly frame: Buffer;
  /** How many frames other than invalidations stand before it. */
  readonly others: number;
}

function positions(frames: readonly Buffer[]): Map<string, Placed> {
  const placed = new Map<string, Placed>();
  let others = 0;
  for (const frame of frames) {
    if (isInvalidation(frame)) placed.set(tidOf(frame), { frame, others });
    else others++;
  }
  return placed;
}

/** The first eight bytes behind the method's name that a length of eight announces: `U 08`, `C 08`, or `c4 08`. */
function tidOf(frame: Buffer): string {
  const from = frame.indexOf("invalidateTransaction") + "invalidateTransaction".length;
  for (let i = from; i < from + 16; i++) {
    const opcode = frame[i];
    if (frame[i + 1] === 8 && (opcode === 0x55 || opcode === 0x43 || opcode === 0xc4)) {
      return frame.subarray(i + 2, i + 10).toString("hex");
    }
  }
  return frame.toString("hex");
}

/** What stands around the value of a reply, and around each oid (with a version of the oldest protocols behind it). */
const AROUND_VALUE = 80;
const AROUND_ID = 12;

/** A getInvalidations reply: a tid and oids, and nothing else. One that loads an object has its data, too. */
function looksResumed(frame: Buffer): boolean {
  const ids = frame.toString("latin1").match(/[UC\xc4]\x08/g)?.length ?? 0;
  return ids >= 1 && frame.length <= AROUND_VALUE + ids * (8 + AROUND_ID);
}

function excerpt(frame: Buffer | undefined): string {
  return frame === undefined ? "nothing" : `${frame.length} bytes ${frame.subarray(0, 60).toString("latin1")}`;
}
