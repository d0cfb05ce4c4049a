import type { Clock } from "../clock.ts";
import type { Session } from "../session/session.ts";
import type { Storages } from "../storage/storages.ts";
import type { Upstream } from "./upstream.ts";

/** How often it is looked whether everything has settled. */
const SETTLE_POLL_MS = 10;
/** Destroyed sockets need a turn of the loop or two to be closed. */
const CLOSE_MS = 1_000;

/** What is to be stopped, and how long that may take. */
export interface Stopped {
  readonly upstreams: readonly Upstream[];
  readonly storages: Iterable<Storages>;
  readonly clock: Clock;
  /** `limits.drain` */
  readonly drainMs: number;
}

/**
 * Stops upstreams in order, all of the process's or some: nobody is accepted, nothing new is begun, commits on their way settle and what
 * was read goes out; then all connections are ended, and behind `drainMs` destroyed. `done` is called once.
 */
export function stopInOrder({ upstreams, storages, clock, drainMs }: Stopped, done: () => void): void {
  const deadline = clock.now() + drainMs;
  const sessions = (): Session[] => upstreams.flatMap((upstream) => [...upstream.sessions]);
  const until = (reached: () => boolean, latest: number, then: () => void): void => {
    if (reached() || clock.now() >= latest) then();
    else clock.after(SETTLE_POLL_MS, () => until(reached, latest, then));
  };
  const isEmpty = (): boolean => upstreams.every(({ clients }) => clients === 0);

  const settle = (): void => {
    for (const upstream of upstreams) upstream.stop();
    for (const session of sessions()) {
      if (session.hasVoted) session.stop();
      else session.quiesce();
    }
    until(() => sessions().every((session) => session.isSettled), deadline, end);
  };
  const end = (): void => {
    for (const session of sessions()) session.stop();
    until(isEmpty, deadline, destroy);
  };
  const destroy = (): void => {
    for (const session of sessions()) session.destroy();
    until(isEmpty, clock.now() + CLOSE_MS, finish);
  };
  const finish = (): void => {
    for (const ofServer of storages) ofServer.stop();
    done();
  };
  settle();
}
