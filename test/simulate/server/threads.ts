import { exception } from "../answers.ts";
import type { Request } from "../message.ts";
import type { Style } from "../style.ts";
import type { ServerConn } from "./conn.ts";
import type { Engine } from "./engine.ts";
import type { Server } from "./server.ts";

/** What a thread takes for a request at most, in microseconds. */
const WORK_US = 60;
const SLOW_US = 400_000;
/** ... and one that is overtaken by a commit. */
const OVERTAKEN_US = 1_000_000;

/**
 * ZODB3 and ZEO up to 4: a thread for each client. An invalidation is written to the others while the storage's own lock
 * is held, before anyone can see its tid. A thread can be overtaken between what it does and its reply.
 */
export class Threads implements Engine {
  readonly #server: Server;
  #isStopped = false;
  /** A `tpc_finish` is done, and its reply not written. Nobody is so quick that another one could come between. */
  #isReplying = false;
  /** Threads that have computed an answer, and wait to be overtaken by a commit. */
  #overtaken: (() => void)[] = [];

  constructor(server: Server) {
    this.#server = server;
  }

  stop(): void {
    this.#isStopped = true;
  }

  soon(work: () => void): void {
    this.#after(WORK_US, 0, work);
  }

  /** In so many microseconds at most, and so many at least. */
  #after(most: number, least: number, work: () => void): void {
    const { scene, random } = this.#server;
    scene.timeline.plan(least + random.below(most + 1), () => {
      if (!this.#isStopped) work();
    });
  }

  arrived(conn: ServerConn): void {
    if (conn.isBusy) return;
    conn.isBusy = true;
    this.#after(this.#server.troubles("serverSlow") ? SLOW_US : WORK_US, 0, () => this.#run(conn));
  }

  lockIsFree(): void {
    const { lock, random } = this.#server;
    this.#overtake();
    if (lock.waiting.length === 0) return;
    const next = random.pick(lock.waiting);
    this.soon(() => {
      if (lock.grant(next)) this.#server.grant(next);
      // It may have gone meanwhile, with others still waiting.
      else if (lock.holder === undefined) this.lockIsFree();
    });
  }

  tell(conns: readonly ServerConn[], write: (conn: ServerConn) => void): void {
    for (const conn of conns) write(conn);
  }

  #run(conn: ServerConn): void {
    for (;;) {
      const request = conn.isOpen ? conn.inbox.shift() : undefined;
      const { style } = conn;
      if (request === undefined || style === undefined) {
        conn.isBusy = false;
        return;
      }
      if (this.#work(conn, style, request)) return;
      if (!request.isOneWay && this.#server.random.chance(0.5)) {
        this.soon(() => this.#run(conn));
        return;
      }
    }
  }

  /** True: goes on later, and the thread is busy until then. */
  #work(conn: ServerConn, style: Style, request: Request): boolean {
    const server = this.#server;
    const then = (work: () => void, us = 0): true => {
      this.#after(WORK_US, us, () => {
        work();
        this.#run(conn);
      });
      return true;
    };
    switch (request.kind) {
      case "register": {
        if (conn.isRegistered || server.troubles("refuseRegister")) {
          conn.write(exception(style, request, server.truth.last, "ReadOnlyError"));
          return false;
        }
        const answer = server.register(conn, style, request);
        return then(() => conn.write({ ...answer, computedAt: server.truth.last }));
      }
      case "vote":
        if (server.voteComes(conn, request)) server.grant(conn);
        return false;
      case "finish": {
        if (this.#isReplying) return then(() => conn.inbox.unshift(request));
        this.#isReplying = true;
        const { answer, us, written } = server.finish(conn, style, request);
        this.#overtake();
        const isEarly = server.random.chance(0.5) && us === 0;
        if (isEarly) written();
        return then(() => {
          this.#isReplying = false;
          conn.write(answer);
          server.tellCommitter(conn, answer);
          if (!isEarly) written();
        }, us);
      }
      default: {
        // A storage reads an object under the lock that a commit has until it is the last one (ZODB/FileStorage, MappingStorage).
        if (isLoad(request) && server.isWriting) return then(() => conn.inbox.unshift(request));
        const answer = server.answer(conn, style, request);
        if (answer === undefined) return false;
        if (isLoad(request) && this.#mayBeOvertaken(conn, request) && server.chance("crossesCommit")) {
          this.#waitForCommit(() => then(() => conn.write(answer)));
          return true;
        }
        if (server.chance("lateReply")) return then(() => conn.write(answer));
        conn.write(answer);
        return false;
      }
    }
  }

  /** Somebody else is about to change that object. */
  #mayBeOvertaken(conn: ServerConn, { oid }: Request): boolean {
    const { changing, lock } = this.#server;
    return lock.holder !== conn && changing.includes(oid);
  }

  #overtake(): void {
    for (const goOn of this.#overtaken.splice(0)) goOn();
  }

  /** Until somebody has committed, and told the others; or has not. */
  #waitForCommit(then: () => void): void {
    let isOver = false;
    const goOn = (): void => {
      if (!isOver) then();
      isOver = true;
    };
    this.#overtaken.push(goOn);
    this.#after(0, OVERTAKEN_US, goOn);
  }
}

function isLoad({ kind }: Request): boolean {
  return kind === "load" || kind === "loadBefore";
}
