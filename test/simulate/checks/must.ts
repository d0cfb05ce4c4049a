import type { Link } from "../link.ts";
import type { Scene } from "../scene.ts";
import type { Commit } from "../truth.ts";

/** The oids that everyone is to be told of. Of one that did not pass through the subject: what the server names. */
export function wanted(commit: Commit, link: Link): readonly number[] {
  return isForeign(commit, link) && !isRead(commit, link) ? (commit.sent ?? NOTHING) : commit.oids;
}

const NOTHING: readonly number[] = [];

/** Has it passed through the subject of this connection? */
export function isOfSubject(commit: Commit, link: Link): boolean {
  return commit.by.subject === link.subject && !commit.isForeign;
}

/** Did it pass by the subject of this connection? What one that was killed since has seen the next one is to know, or to doubt. */
function isForeign({ isForeign: isAnybodys, by }: Commit, { machine }: Link): boolean {
  return isAnybodys || by.machine !== machine;
}

/** Does the subject of this connection read it, whoever has made it? */
function isRead({ readBy }: Commit, { machine }: Link): boolean {
  return readBy.has(machine);
}

/** Those in (from, to] that have passed by the subject of this connection, and that it does not read. */
export function unread(link: Link, from: number, to: number): Commit[] {
  const { commits } = link;
  const found: Commit[] = [];
  for (let i = commits.length - 1; i >= 0; i--) {
    const commit = commits[i] as Commit;
    if (commit.tid <= from) break;
    if (commit.tid <= to && isForeign(commit, link) && !isRead(commit, link)) found.push(commit);
  }
  return found;
}

/** Must the client of this connection hear of it at some time? `atRest`: at all; else before any evidence of it. */
export function must(scene: Scene, commit: Commit, link: Link, atRest: boolean): boolean {
  if (isOwn(commit, link) || commit.isLow) return false;
  const isOld = link.style?.family === "old";
  if (isOld && commit.oids.length === 0) return false;
  if (isRead(commit, link) && !link.isUnrepaired) return true;
  if (commit.limboEnds > link.registeredAt && commit.sent === undefined) return false;
  if (isForeign(commit, link)) return !isSkipped(commit, link) && (isOld ? commit.sent !== undefined : atRest);
  // Without a repair a new server's own order has to do.
  return scene.repairs || isOld || atRest;
}

/** Has its client made it, and does it know? */
export function isOwn(commit: Commit, link: Link): boolean {
  return commit.by === link && !(commit.isDenied && isRead(commit, link));
}

/**
 * Must its client not be told of it? One that was answered with an exception a subject may find, too, which has said that it can't
 * read all there is.
 */
export function isNever(scene: Scene, commit: Commit, link: Link): boolean {
  return isOwn(commit, link) && !(commit.isDenied && scene.mix.witness);
}

/** It was left out, on this connection or an earlier one: what it missed then it never hears of. */
function isSkipped(commit: Commit, link: Link): boolean {
  for (const other of commit.skipped) if (other.client === link.client) return true;
  return false;
}

/** The last commit in (from, to] that the client of this connection must have heard of. */
export function missing(scene: Scene, link: Link, from: number, to: number, atRest = false): Commit | undefined {
  const { commits } = link;
  for (let i = commits.length - 1; i >= 0; i--) {
    const commit = commits[i] as Commit;
    if (commit.tid <= from) return undefined;
    if (commit.tid <= to && must(scene, commit, link, atRest)) return commit;
  }
  return undefined;
}

/**
 * May a load show it before it is told? The subject reads the storage, and looks at no load where nothing is owed to the client
 * (docs/ordering.md, invariant 1): so what did not pass through it shows, as without the subject, before the server has told this
 * client of it. (That it has not follows: else that message would stand before the load.) The same of a commit that was answered
 * with an exception, which the server does not tell to its own client.
 */
export function mayShowEarly(commit: Commit, link: Link): boolean {
  if (!(isForeign(commit, link) || commit.isDenied) || !isRead(commit, link)) return false;
  const isUntold = commit.sent === undefined || commit.by === link || isSkipped(commit, link);
  return link.style?.family === "new" || isUntold;
}

export function commitAt(link: Link, tid: number): Commit | undefined {
  const { commits } = link;
  for (let i = commits.length - 1; i >= 0; i--) {
    const commit = commits[i] as Commit;
    if (commit.tid <= tid) return commit.tid === tid ? commit : undefined;
  }
  return undefined;
}

/** The first oid that `oids` lacks. */
export function lacking(oids: readonly number[], needed: readonly number[]): number | undefined {
  if (needed.length > 16) {
    const set = new Set(oids);
    return needed.find((oid) => !set.has(oid));
  }
  return needed.find((oid) => !oids.includes(oid));
}
