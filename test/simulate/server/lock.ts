import type { ServerConn } from "./conn.ts";

/** The commit lock of a storage. */
export class CommitLock {
  holder: ServerConn | undefined;
  readonly waiting: ServerConn[] = [];

  isWaiting(conn: ServerConn): boolean {
    return this.waiting.includes(conn);
  }

  /** @returns false: it has to wait */
  take(conn: ServerConn): boolean {
    if (this.holder !== undefined) {
      this.waiting.push(conn);
      return false;
    }
    this.holder = conn;
    return true;
  }

  /** It has waited, and gets it if it is free. */
  grant(conn: ServerConn): boolean {
    const at = this.waiting.indexOf(conn);
    if (at < 0 || this.holder !== undefined) return false;
    this.waiting.splice(at, 1);
    this.holder = conn;
    return true;
  }

  /** It has it no more, and waits for it no more. True: it is free now. */
  release(conn: ServerConn): boolean {
    const at = this.waiting.indexOf(conn);
    if (at >= 0) this.waiting.splice(at, 1);
    if (this.holder !== conn) return false;
    this.holder = undefined;
    return true;
  }

  clear(): void {
    this.holder = undefined;
    this.waiting.length = 0;
  }
}
