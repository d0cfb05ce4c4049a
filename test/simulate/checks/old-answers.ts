import { loaded } from "../answers.ts";
import { matches } from "../frame-reader.ts";
import type { Link } from "../link.ts";
import type { Answer, Request } from "../message.ts";
import type { Scene } from "../scene.ts";
import { sizeOf } from "../server/reads.ts";
import { isInvalidation, readNamed } from "./read.ts";

const LENGTH_BYTES = 4;

// An old server's answers to `loadBefore` that its client reads behind invalidations of the object.

/** Can the subject have had anything to repair in it? Tids under which its client was told of the object since it asked. */
function toldOf(scene: Scene, link: Link, { request, tid: serial }: Answer): number[] {
  if (request?.kind !== "loadBefore" || link.style?.family !== "old" || link.isUnrepaired || !scene.mayRepair)
    return [];
  const told = link.told.slice(request.toldAt).filter(({ oids }) => oids.includes(request.oid));
  return told.map(({ tid }) => tid).filter((tid) => tid > serial);
}

function isAbsent({ request, outcome, frame }: Answer): boolean {
  if (request?.kind !== "loadBefore") return false;
  return outcome === "none" || (outcome === "exception" && frame.includes("POSKeyError"));
}

/** A revision that is answered as the current one. */
function isCurrent({ request, tid }: Answer): boolean {
  return request?.kind === "loadBefore" && tid !== 0;
}

/** It was computed before one of those: its client must not have it as it is. */
export function isOld(scene: Scene, link: Link, answer: Answer): boolean {
  if (!scene.repairs) return false;
  if (!isAbsent(answer) && !isCurrent(answer)) return false;
  return toldOf(scene, link, answer).some((tid) => tid > answer.computedAt);
}

/** The answer that this frame is, with an end that it can have by now; undefined: it is none. */
export function ended(scene: Scene, link: Link, answer: Answer, frame: Buffer): Answer | undefined {
  const { style } = link;
  const { request, computedAt, tid: serial } = answer;
  if (style === undefined || request === undefined || !isCurrent(answer)) return undefined;
  const told = toldOf(scene, link, answer);
  const latest = Math.min(...told.filter((tid) => tid > computedAt));
  for (const end of new Set(told)) {
    // One that named it without need may have gone out before it was asked, too.
    if (end > latest) continue;
    const it = loaded(style, request, computedAt, serial, end, sizeOf(scene.mix, request.oid));
    if (!it.frame.equals(frame)) continue;
    // Else its end was found without need: it was computed behind all that.
    if (end > computedAt) scene.visits.count("subject: old answer, truly");
    return it;
  }
  return undefined;
}

/** Answers that are not this frame, and that its client need not get, are taken aside: the subject asks once more. */
export function swallow(scene: Scene, link: Link, bytes: Buffer, at: number, end: number): void {
  for (;;) {
    const head = link.down.peek();
    if (head === undefined || !isAbsent(head) || matches(head.frame, bytes, at, end)) return;
    if (toldOf(scene, link, head).length === 0 || mayStandBefore(link, bytes.subarray(at, end), head)) return;
    link.down.shift();
    link.swallowed.push(head);
  }
}

/** An invalidation of what it was computed with: it may come yet. */
function mayStandBefore({ style }: Link, frame: Buffer, { computedAt }: Answer): boolean {
  if (style === undefined || !isInvalidation(frame)) return false;
  return (readNamed(style, frame, LENGTH_BYTES)?.tid ?? Infinity) <= computedAt;
}

/** The subject calls once more what has been answered, so that nobody hears of that answer; undefined: it may not. */
export function readAgain({ down, style, swallowed }: Link, frame: Buffer): Request | undefined {
  if (style?.family !== "old") return undefined;
  const at = swallowed.findIndex(({ request }) => request?.frame.equals(frame) === true);
  if (at >= 0) {
    const [answer] = swallowed.splice(at, 1);
    return answer?.request === undefined ? undefined : { ...answer.request, isAgain: true };
  }
  for (let i = 0; i < down.length; i++) {
    const answer = down.peek(i) as Answer;
    if (answer.request?.frame.equals(frame) !== true || !isAbsent(answer)) continue;
    down.remove(i);
    return { ...answer.request, isAgain: true };
  }
  return undefined;
}
