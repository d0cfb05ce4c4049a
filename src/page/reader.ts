import type { ServerResponse } from "node:http";
import type { Feed } from "./feed.ts";
import type { Row } from "./messages.ts";
import type { Transactions } from "./transactions.ts";

/** So many rows are sent at once, of new ones and of those from before each. */
const MOST_ROWS = 500;

/**
 * One connection to `/events`. It is written to only when it has taken what was written before, so what waits for it is one
 * step's events at most; who was away for long gets all rows anew, newest first, a portion in each step.
 */
export class Reader {
  readonly #response: ServerResponse;
  readonly #transactions: Transactions;
  readonly #feed: Feed;
  /** Changes before this one were sent, or will be with the rows from before. */
  #change: number;
  /** Rows before this id are still to be sent. */
  #before: number;
  /** The next second that is to be sent. */
  #second = 0;
  #sinceMs: number;

  constructor(response: ServerResponse, feed: Feed) {
    this.#response = response;
    this.#feed = feed;
    this.#transactions = feed.transactions;
    this.#change = this.#transactions.changes;
    this.#before = this.#transactions.next;
    this.#sinceMs = feed.clock.now();
    this.#response.write(event("hello", JSON.stringify(feed.hello())));
  }

  /** Has it not taken what was written? */
  get isBehind(): boolean {
    return this.#response.writableNeedDrain;
  }

  get waitingBytes(): number {
    return this.#response.writableLength;
  }

  /** For how long it has taken nothing of what was written, in ms. */
  stalledMs(nowMs: number): number {
    if (!this.isBehind) this.#sinceMs = nowMs;
    return nowMs - this.#sinceMs;
  }

  /** `overview`: as JSON, the same for all; undefined: there is no new one. */
  step(overview: string | undefined): void {
    if (this.isBehind) return;
    const rows = this.#rows();
    let text = overview === undefined ? "" : event("overview", overview) + this.#seconds();
    if (rows.length > 0) {
      const { first, next } = this.#transactions;
      text += event("rows", JSON.stringify({ first, next, rows }));
    }
    if (text !== "") this.#response.write(text);
  }

  /** Those that have changed, and a portion of those from before. */
  #rows(): Row[] {
    const { changes, next } = this.#transactions;
    let changed = changes - this.#change > MOST_ROWS ? undefined : this.#transactions.since(this.#change);
    if (changed === undefined) {
      // Of those that change too fast to be followed the newest are shown.
      this.#before = next;
      changed = [];
    }
    this.#change = changes;
    const older = this.#transactions.before(this.#before, MOST_ROWS);
    this.#before = older.at(-1)?.id ?? 0;
    return [...changed, ...older];
  }

  #seconds(): string {
    const seconds = this.#feed.timeline.since(this.#second, this.#feed.clock.now());
    if (seconds.commits.length === 0) return "";
    this.#second = seconds.from + seconds.commits.length;
    return event("seconds", JSON.stringify(seconds));
  }

  end(): void {
    this.#response.end();
  }

  destroy(): void {
    this.#response.destroy();
  }
}

/** `data` has no line end, as no JSON has. */
function event(name: string, data: string): string {
  return `event: ${name}\ndata: ${data}\n\n`;
}
