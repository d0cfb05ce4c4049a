import { LineQueue } from "./line-queue.ts";

/** How long a reader that takes nothing, or a disk that has no room, is left alone at first, and at last. */
const FIRST_RETRY_MS = 20;
const LAST_RETRY_MS = 1_000;
/** At the end, when what is left is soon lost. */
const LAST_WORDS_RETRY_MS = 100;

/** What is offered at once. */
const OFFER_BYTES = 64 * 1024;

/** The reader is gone, or the descriptor is. Anything else can pass: a full disk, a quota, a log that must be rotated. */
const FINAL: ReadonlySet<string> = new Set(["EPIPE", "EBADF", "ECONNRESET", "ENOTCONN", "EINVAL"]);

/** Where the lines go, and who is told of what does not arrive. `code` is the system's. */
export interface LineOutput {
  /** Writes what it can at once, and returns how many bytes that was; throws the system's error otherwise. */
  readonly write: (bytes: Buffer) => number;
  /** So many lines were lost here; there is room again for a line that says so. */
  readonly onLost: (lines: number, code: string) => void;
  /** Nothing can be written any more; so many lines were lost with that. */
  readonly onBroken: (lines: number, code: string) => void;
}

/**
 * Writes lines without ever waiting for their reader.
 *
 * The lines of one turn of the event loop are written in one go at its end, or when there are 64 KiB of them; an urgent one
 * at once, with all that stand before it. What can't be written is kept, up to a limit, and offered again. Beyond the limit
 * lines are lost until half of what waits was taken; at that place a line tells how many.
 */
export class LineWriter {
  readonly #output: LineOutput;
  readonly #maxWaitingBytes: number;
  /** What a turn may keep for its end. */
  readonly #maxTurnBytes: number;
  readonly #waiting = new LineQueue();
  #lost = 0;
  /** So many lost lines is the line about that is being written. */
  #telling = 0;
  /** Why the last write failed. */
  #code = "";
  #retryMs = FIRST_RETRY_MS;
  /** Set while something waits for its reader, and only then. */
  #timer: NodeJS.Timeout | undefined;
  /** Set while the lines of this turn wait for its end. */
  #turnEnd: NodeJS.Immediate | undefined;
  #drained: (() => void) | undefined;
  #isEnding = false;
  /** Something was written since somebody has looked. */
  #isTaken = false;
  #isOpen = true;

  constructor(output: LineOutput, maxWaitingBytes: number) {
    this.#output = output;
    this.#maxWaitingBytes = maxWaitingBytes;
    this.#maxTurnBytes = Math.min(OFFER_BYTES, maxWaitingBytes);
  }

  /** Takes a line with its end: it is written with its turn, an urgent one at once, or kept for later. */
  write(line: string, isUrgent = false): void {
    if (!this.#isOpen) return;
    this.#tellLost();
    const bytes = Buffer.from(line);
    if (this.#turnEnd !== undefined && this.#waiting.bytes + bytes.length > this.#maxTurnBytes) {
      this.#offer();
      if (!this.#isOpen) return;
    }
    const hasRoom = this.#lost === 0 && this.#waiting.bytes + bytes.length <= this.#maxWaitingBytes;
    if (!hasRoom && !this.#isEnding) {
      this.#lost += this.#telling === 0 ? 1 : this.#telling;
      return;
    }
    this.#waiting.add(bytes, this.#telling === 0 ? 1 : this.#telling);
    if (this.#timer !== undefined) return;
    if (isUrgent || this.#isEnding) this.#offer();
    else this.#turnEnd ??= setImmediate(() => this.#offer());
  }

  /**
   * Writes what is kept before it returns, but waits no longer than this. Nothing is written later.
   * @returns how many lines were lost that no line tells of
   */
  flushSync(timeoutMs: number): number {
    this.#beginEnd();
    const deadline = Date.now() + timeoutMs;
    const sleeper = new Int32Array(new SharedArrayBuffer(4));
    while (!this.#offerAll() && Date.now() < deadline) Atomics.wait(sleeper, 0, 0, FIRST_RETRY_MS);
    return this.#close();
  }

  /**
   * The same without stopping the event loop. It gives up when nothing was taken for so long, at the latest after three
   * times that.
   */
  async end(timeoutMs: number): Promise<number> {
    this.#beginEnd();
    if (!this.#offerAll()) {
      await new Promise<void>((resolve) => {
        let rounds = 3;
        const look = (): void => {
          if (!this.#isTaken || --rounds === 0) resolve();
          else limit = setTimeout(look, timeoutMs);
          this.#isTaken = false;
        };
        this.#isTaken = false;
        let limit = setTimeout(look, timeoutMs);
        this.#drained = () => {
          clearTimeout(limit);
          resolve();
        };
        this.#retryMs = FIRST_RETRY_MS;
        this.#again();
      });
    }
    return this.#close();
  }

  /** Why lines wait, or were lost: the system's code, empty where no write has failed. */
  get code(): string {
    return this.#code;
  }

  /** There is no later line to tell what is lost: this one must find room. */
  #beginEnd(): void {
    if (!this.#isOpen) return;
    this.#isEnding = true;
    this.#tellLost();
  }

  /** Gives up what is kept. */
  #close(): number {
    const unwritten = this.#waiting.lines + this.#lost;
    this.#isOpen = false;
    this.#waiting.clear();
    this.#lost = 0;
    this.#unschedule();
    return unwritten;
  }

  #tellLost(): void {
    if (this.#lost === 0 || (!this.#isEnding && this.#waiting.bytes > this.#maxWaitingBytes / 2)) return;
    this.#telling = this.#lost;
    this.#lost = 0;
    this.#output.onLost(this.#telling, this.#code);
    this.#telling = 0;
  }

  #offer(): void {
    this.#unschedule();
    const isDrained = this.#offerAll();
    if (!isDrained) this.#again();
    if (this.#isOpen) this.#tellLost();
    if (this.#waiting.bytes === 0) this.#drained?.();
  }

  #unschedule(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#turnEnd);
    this.#timer = this.#turnEnd = undefined;
  }

  #again(): void {
    // A reader that is slow is asked often: what waits for it is memory. A disk stays full for longer.
    const isSlow = this.#code === "EAGAIN";
    this.#unschedule();
    this.#timer = setTimeout(() => this.#offer(), isSlow ? FIRST_RETRY_MS : this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, this.#isEnding ? LAST_WORDS_RETRY_MS : LAST_RETRY_MS);
  }

  /** Returns whether nothing is left to be written. */
  #offerAll(): boolean {
    try {
      while (this.#waiting.bytes > 0) {
        const written = this.#output.write(this.#waiting.head(OFFER_BYTES));
        if (written === 0) return false;
        this.#waiting.drop(written);
        this.#isTaken = true;
        this.#retryMs = FIRST_RETRY_MS;
      }
    } catch (error) {
      this.#code = (error as NodeJS.ErrnoException).code ?? "";
      if (!FINAL.has(this.#code)) return false;
      const lines = this.#close();
      this.#output.onBroken(lines, this.#code);
    }
    return true;
  }
}
