import type { Connection, ConnectionCommand, ConnectionHandler, Seen } from "../../src/session/connection.ts";
import { LENGTH_BYTES } from "../../src/wire/frame.ts";

/**
 * A connection whose other end and whose network the test plays. It takes what is written and commanded, and tells
 * nothing before the test says so. What it hands over to be read is overwritten as soon as that call returns.
 */
export class PlayedConnection implements Connection {
  readonly peer: string;
  readonly host: string | undefined;
  /** All that was commanded. */
  readonly commands: ConnectionCommand[] = [];
  isPaused = false;
  #handler: ConnectionHandler | undefined;
  #left: Buffer[] = [];
  #queued: Buffer[] = [];
  #callbacks: (() => void)[] = [];
  /** Who has asked what the system knows, where it takes its time. */
  #asked: ((seen: Seen | undefined) => void)[] | undefined;
  #isStuck = false;
  #isBusy = false;
  /** The halves: ours, and the other end's. */
  #hasEnded = false;
  #otherHasEnded = false;
  #isDestroyed = false;
  #isClosed = false;

  constructor(peer: string, host?: string) {
    this.peer = peer;
    this.host = host;
  }

  // --- what a session may use -------------------------------------------------------------------------------------

  get queuedBytes(): number {
    return this.#queued.reduce((sum, { length }) => sum + length, 0);
  }

  progress = 0;

  /** What the system would tell; undefined where it does not. */
  seen: Seen | undefined;

  ask(told: (seen: Seen | undefined) => void): void {
    if (this.#asked === undefined) told(this.seen);
    else this.#asked.push(told);
  }

  get isBehind(): boolean {
    return this.#isStuck && this.#queued.length > 0;
  }

  write(bytes: Buffer, written?: () => void): boolean {
    if (written !== undefined) this.#callbacks.push(written);
    if (this.#hasEnded || this.#isDestroyed || this.#isClosed) return true;
    (this.#isStuck ? this.#queued : this.#left).push(Buffer.from(bytes));
    return !this.#isStuck;
  }

  carryOut(command: ConnectionCommand): void {
    this.commands.push(command);
    switch (command) {
      case "pause":
        this.isPaused = true;
        return;
      case "resume":
        this.isPaused = false;
        return;
      case "end":
        this.#hasEnded = true;
        return;
      case "destroy":
        this.#isDestroyed = true;
        this.#queued = [];
    }
  }

  handOver(handler: ConnectionHandler): void {
    this.#handler = handler;
  }

  // --- what the test plays ----------------------------------------------------------------------------------------

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Our half is ended or all of it is closed: nothing that is written now would leave. */
  get hasEnded(): boolean {
    return this.#hasEnded || this.#isDestroyed || this.#isClosed;
  }

  /** The other end has written this. */
  reads(...parts: readonly Buffer[]): void {
    for (const part of parts) {
      if (this.isPaused || this.#otherHasEnded || this.#isDestroyed)
        throw new Error(`nothing is read from ${this.peer}`);
      const chunk = Buffer.allocUnsafeSlow(part.length);
      part.copy(chunk);
      this.#tell((handler) => handler.read(chunk));
      chunk.fill(0xee);
    }
  }

  /** The other end has closed its half. */
  ends(): void {
    if (this.isPaused || this.#isDestroyed) throw new Error(`nothing is read from ${this.peer}`);
    this.#otherHasEnded = true;
    this.#tell((handler) => handler.ended());
  }

  closes(): void {
    if (this.#isClosed) throw new Error(`${this.peer} is closed`);
    this.#isClosed = true;
    this.#queued = [];
    this.#isStuck = false;
    this.#tell((handler) => handler.closed());
  }

  /** From now on the network takes nothing. */
  sticks(): void {
    this.#isStuck = true;
  }

  /** From now on the system takes its time. */
  answersLater(): void {
    this.#asked = [];
  }

  /** It answers whoever has asked. */
  answers(seen: Seen | undefined): void {
    if (this.#asked === undefined || this.#asked.length === 0) throw new Error("nobody has asked");
    for (const told of this.#asked.splice(0)) told(seen);
  }

  /** It has taken some, and is still behind. */
  takes(): void {
    this.progress++;
  }

  /** It has taken all. */
  drains(): void {
    this.progress++;
    this.#left.push(...this.#queued);
    this.#queued = [];
    this.#isStuck = false;
    this.#tell((handler) => handler.drained());
  }

  /** Goes on to its end, as a network does: what was destroyed is closed, and what was ended the other end ends, too. */
  settles(): void {
    if (this.#isClosed) return;
    if (!this.#isDestroyed && this.#isStuck) this.drains();
    if (!this.#isDestroyed && !this.#otherHasEnded && !this.isPaused) this.ends();
    if (this.#isDestroyed || (this.#hasEnded && this.#otherHasEnded)) this.closes();
  }

  /** The bytes that have left since the last time. */
  taken(): Buffer {
    const taken = Buffer.concat(this.#left);
    this.#left = [];
    return taken;
  }

  /** The same as payloads of frames. Throws for a part of one. */
  frames(): Buffer[] {
    return payloads(this.taken());
  }

  #tell(work: (handler: ConnectionHandler) => void): void {
    if (this.#handler === undefined) throw new Error(`nobody has taken ${this.peer}`);
    if (this.#isBusy) throw new Error(`${this.peer} was told something meanwhile`);
    this.#isBusy = true;
    work(this.#handler);
    this.#isBusy = false;
    if (this.#isStuck) return;
    for (const written of this.#callbacks.splice(0)) written();
  }
}

/** The payloads of whole frames. Throws for a part of one. */
export function payloads(bytes: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + LENGTH_BYTES + bytes.readUInt32BE(at);
    if (end > bytes.length) throw new Error("only a part of a frame was written");
    found.push(bytes.subarray(at + LENGTH_BYTES, end));
    at = end;
  }
  return found;
}
