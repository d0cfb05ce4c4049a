import type { Link } from "./link.ts";
import type { Mix } from "./mix.ts";
import type { Network } from "./network.ts";
import type { Timeline } from "./timeline.ts";
import type { Commit } from "./truth.ts";
import type { Violation } from "./violation.ts";
import type { Visits } from "./visits.ts";

/** What everyone in a world shares. */
export interface Scene {
  readonly timeline: Timeline;
  readonly network: Network;
  readonly mix: Mix;
  readonly visits: Visits;
  /** What was seen first; the run ends with it. */
  fail(violation: Violation): void;
  /** Frames that reached the other side. */
  messages: number;
  /** Does the subject complete invalidations? Else only what the servers themselves keep is asked of it. */
  readonly repairs: boolean;
  /** May it complete some all the same, which is not asked of it? */
  readonly mayRepair: boolean;
  /** Nobody decides anything any more, and no more faults happen. */
  isCalm: boolean;
  /** Something was seen: the run is over. */
  readonly violation: Violation | undefined;
  /** Does the subject run that it passes through, or has that been killed? */
  runs(link: Link): boolean;
  /** Something has happened there for which a subject may end sessions. */
  disturbs(link: Link): void;
  /** Somebody has begun a transaction there with a tid of its own. */
  copies(link: Link): void;
  /**
   * An old client was told there of its own commit within its finish, which failed all the same. The guard refuses that message,
   * and then nobody goes on from what its subject knew.
   */
  doubts(link: Link): void;
  /** Something happens for which the subjects' own clients may not read this server in time. */
  troubled(server: number): void;
  /** A range up to that tid was given back before its end. */
  leftUnread(server: number, tid: number): void;
  /** The machines whose subjects read what does not pass through them, and have not given that up. */
  readersOf(server: number): Set<number>;
  /** Could what did not pass through its subject not be read in time, lately? */
  mayBeUnread(link: Link): boolean;
  /** Has a cache of an older generation, at this tid, seen what a restored backup has undone? */
  isAhead(link: Link, generation: number, tid: number): boolean;
  /**
   * The first tid that a subject has read of a storage is not above this: it need not know what was before. Noted when a
   * client is told one for the first time, and returned. Clients are not told in the order in which the subject reads.
   */
  reachOf(link: Link): number;
  /** May something have been copied of which nobody knows whether it has? */
  mayHaveCopied(link: Link): boolean;
  /** Is this one of the clients that do not go on? */
  mayDoubt(link: Link): boolean;
  /** Up to where nobody goes on, as the subject has not read it: it had given that up. */
  unreadUpTo(link: Link): number;
  /** Is its subject being stopped, or no more? */
  isLeaving(link: Link): boolean;
  /** May the subject end a connection to this server by itself? */
  mayEnd(server: number, link: Link): boolean;
  /** It was copied to below what is there: the clients of its subject, and of its family, must verify their caches. */
  copied(commit: Commit): void;
  trace: ((text: () => string) => void) | undefined;
}
