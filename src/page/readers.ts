import type { IncomingMessage, ServerResponse } from "node:http";
import { HEADERS, refuse } from "./answer.ts";
import type { Feed } from "./feed.ts";
import { Reader } from "./reader.ts";

/** So many look at a time. */
export const MOST_READERS = 16;
/** Between two steps: at most so often a reader is written to, whatever happens. */
export const STEP_MS = 250;
/** In so many steps the overview is told once. */
const OVERVIEW_STEPS = 4;
/** Who takes nothing for so long is let go, and may come again. */
export const STALLED_MS = 20_000;

/** All that look, and the clock by which they are told. While nobody does there is none. */
export class Readers {
  readonly #feed: Feed;
  readonly #readers = new Set<Reader>();
  #cancelStep: (() => void) | undefined;
  #steps = 0;

  constructor(feed: Feed) {
    this.#feed = feed;
  }

  get size(): number {
    return this.#readers.size;
  }

  /** Has one of them not taken what was written to it? */
  get isAnyBehind(): boolean {
    for (const reader of this.#readers) if (reader.isBehind) return true;
    return false;
  }

  /** Bytes that wait for all of them. */
  get waitingBytes(): number {
    let bytes = 0;
    for (const reader of this.#readers) bytes += reader.waitingBytes;
    return bytes;
  }

  /** A request for `/events`. */
  add(request: IncomingMessage, response: ServerResponse): void {
    if (request.method !== "GET") {
      response.writeHead(200, { ...HEADERS, "content-type": "text/event-stream" }).end();
      return;
    }
    if (this.#readers.size >= MOST_READERS) {
      refuse(response, 503, "too many look at this page already\n", { "retry-after": "10" });
      return;
    }
    response.writeHead(200, { ...HEADERS, "content-type": "text/event-stream; charset=utf-8" });
    // Small writes, now and then: none of them is to wait for another.
    response.socket?.setNoDelay(true);
    const reader = new Reader(response, this.#feed);
    this.#readers.add(reader);
    response.on("close", () => this.#left(reader));
    response.on("error", () => this.#left(reader));
    reader.step(this.#overview());
    this.#schedule();
  }

  #left(reader: Reader): void {
    this.#readers.delete(reader);
    if (this.#readers.size > 0) return;
    this.#cancelStep?.();
    this.#cancelStep = undefined;
  }

  #schedule(): void {
    this.#cancelStep ??= this.#feed.clock.after(STEP_MS, () => {
      this.#cancelStep = undefined;
      this.#step();
      if (this.#readers.size > 0) this.#schedule();
    });
  }

  #step(): void {
    this.#steps++;
    const isDue = this.#steps % OVERVIEW_STEPS === 0;
    const nowMs = this.#feed.clock.now();
    // Made once for all, and only if anybody takes it.
    let overview: string | undefined;
    for (const reader of this.#readers) {
      if (reader.stalledMs(nowMs) >= STALLED_MS) reader.destroy();
      else if (!reader.isBehind) reader.step(isDue ? (overview ??= this.#overview()) : undefined);
    }
  }

  #overview(): string {
    return JSON.stringify(this.#feed.overview(this.#readers.size));
  }

  /** All of them are sent away. */
  end(): void {
    for (const reader of this.#readers) reader.end();
  }
}
