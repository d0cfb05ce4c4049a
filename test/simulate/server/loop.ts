import { exception } from "../answers.ts";
import type { Request } from "../message.ts";
import type { Style } from "../style.ts";
import type { ServerConn } from "./conn.ts";
import type { Engine } from "./engine.ts";
import type { Server } from "./server.ts";

/** What lies between two connections that were readable at once, at most, in microseconds. */
const STEP_US = 40;
const SLOW_US = 400_000;

/**
 * ZEO 5 and later: one thread with asyncio's loop. A turn runs what was queued before, then reads every connection that
 * was readable when it began: all that has come by the time when it is its turn. What is queued meanwhile runs in the
 * next turn; so a reply can be written, and even a request that came later answered, before an invalidation that was
 * queued earlier.
 */
export class Loop implements Engine {
  readonly #server: Server;
  #queued: (() => void)[] = [];
  readonly #readable = new Set<ServerConn>();
  #turn: ServerConn[] = [];
  #isPlanned = false;
  #isStopped = false;

  constructor(server: Server) {
    this.#server = server;
  }

  stop(): void {
    this.#isStopped = true;
  }

  soon(work: () => void): void {
    this.#queued.push(work);
    this.#plan();
  }

  arrived(conn: ServerConn): void {
    this.#readable.add(conn);
    this.#plan();
  }

  lockIsFree(): void {
    const { lock } = this.#server;
    for (const conn of lock.waiting) {
      this.soon(() => {
        if (lock.grant(conn)) this.#server.grant(conn);
      });
    }
  }

  tell(conns: readonly ServerConn[], write: (conn: ServerConn) => void): void {
    for (const conn of conns) this.soon(() => write(conn));
  }

  #plan(): void {
    if (this.#isPlanned || this.#isStopped) return;
    this.#isPlanned = true;
    const { scene, random } = this.#server;
    const us = this.#server.troubles("serverSlow") ? SLOW_US : STEP_US;
    scene.timeline.plan(random.below(us + 1), () => this.#step());
  }

  #step(): void {
    this.#isPlanned = false;
    if (this.#isStopped) return;
    if (this.#turn.length === 0) this.#begin();
    else this.#read(this.#turn.shift() as ServerConn);
    // Alone it need not wait: nothing can come between.
    if (this.#turn.length === 1 && this.#queued.length === 0) this.#read(this.#turn.pop() as ServerConn);
    if (this.#turn.length > 0 || this.#queued.length > 0 || this.#readable.size > 0) this.#plan();
  }

  /** A turn begins. */
  #begin(): void {
    const queued = this.#queued;
    this.#queued = [];
    for (const work of queued) work();
    this.#turn = [...this.#readable];
    this.#readable.clear();
    if (this.#turn.length > 1 && this.#server.random.chance(0.5)) this.#turn.reverse();
  }

  #read(conn: ServerConn): void {
    this.#readable.delete(conn);
    const { style } = conn;
    for (;;) {
      const request = conn.isOpen ? conn.inbox.shift() : undefined;
      if (request === undefined || style === undefined) return;
      this.#work(conn, style, request);
    }
  }

  #work(conn: ServerConn, style: Style, request: Request): void {
    const server = this.#server;
    switch (request.kind) {
      case "register":
        if (conn.isRegistered || server.troubles("refuseRegister")) {
          conn.write(exception(style, request, server.truth.last, "ReadOnlyError"));
        } else conn.write(server.register(conn, style, request));
        return;
      case "vote":
        if (server.voteComes(conn, request)) server.grant(conn);
        return;
      case "finish": {
        const { answer, written } = server.finish(conn, style, request);
        conn.write(answer);
        server.tellCommitter(conn, answer);
        written();
        return;
      }
      default: {
        const answer = server.answer(conn, style, request);
        if (answer !== undefined) conn.write(answer);
      }
    }
  }
}
