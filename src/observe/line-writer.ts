import { constants, fstatSync, openSync, writeSync } from "node:fs";
import { Socket } from "node:net";

/** How long a reader that takes nothing is left alone. */
const RETRY_MS = 20;

/**
 * Writes lines to a descriptor without ever waiting for its reader.
 *
 * A line is written at once, so that a crash loses none of them; what the reader doesn't take is kept, up to a limit, and
 * offered again. A write that blocks would stop the event loop, and one that blocks in another thread would keep the
 * process from exiting: so the descriptor is used without blocking.
 */
export class LineWriter {
  readonly #descriptor: number;
  readonly #maxWaitingBytes: number;
  readonly #onLost: (lines: number) => void;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #lost = 0;
  #timer: NodeJS.Timeout | undefined;
  #drained: (() => void) | undefined;
  #open = true;

  /**
   * @param onLost is told how many lines were lost at the limit, when the reader has caught up
   */
  constructor(descriptor: number, maxWaitingBytes: number, onLost: (lines: number) => void) {
    this.#descriptor = withoutBlocking(descriptor);
    this.#maxWaitingBytes = maxWaitingBytes;
    this.#onLost = onLost;
  }

  /** Writes a line with its end, or keeps it for later. */
  write(line: string): void {
    if (!this.#open) return;
    const bytes = Buffer.from(line);
    if (this.#waitingBytes + bytes.length > this.#maxWaitingBytes) {
      this.#lost += 1;
      return;
    }
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#timer === undefined) this.#offer();
  }

  /** Writes what is kept before it returns, but waits no longer than this. Nothing is written later. */
  flushSync(timeoutMs: number): void {
    const deadline = Date.now() + timeoutMs;
    const sleeper = new Int32Array(new SharedArrayBuffer(4));
    while (!this.#offerAll() && Date.now() < deadline) Atomics.wait(sleeper, 0, 0, RETRY_MS);
    this.close();
  }

  /** The same without stopping the event loop. */
  async end(timeoutMs: number): Promise<void> {
    if (this.#open && !this.#offerAll()) {
      await new Promise<void>((resolve) => {
        const limit = setTimeout(resolve, timeoutMs);
        this.#drained = () => {
          clearTimeout(limit);
          resolve();
        };
        this.#timer ??= setTimeout(() => this.#offer(), RETRY_MS);
      });
    }
    this.close();
  }

  /** Gives up what is kept. */
  close(): void {
    this.#open = false;
    this.#waiting = [];
    this.#waitingBytes = 0;
    clearTimeout(this.#timer);
  }

  #offer(): void {
    this.#timer = undefined;
    if (!this.#offerAll()) {
      this.#timer = setTimeout(() => this.#offer(), RETRY_MS);
      return;
    }
    this.#drained?.();
    if (this.#lost > 0) {
      const lines = this.#lost;
      this.#lost = 0;
      this.#onLost(lines);
    }
  }

  /** Returns whether nothing is left to be written. */
  #offerAll(): boolean {
    try {
      while (this.#waitingBytes > 0) {
        if (this.#waiting.length > 1) this.#waiting = [Buffer.concat(this.#waiting)];
        const [bytes = Buffer.alloc(0)] = this.#waiting;
        const written = writeSync(this.#descriptor, bytes);
        this.#waitingBytes -= written;
        this.#waiting = this.#waitingBytes === 0 ? [] : [bytes.subarray(written)];
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EAGAIN") return false;
      // The reader is gone for good, or the disk is full: the proxy's work is worth more than its log.
      this.close();
    }
    return true;
  }
}

/**
 * A descriptor of the same file that fails with EAGAIN where it would block. Opened anew where that is possible, so that
 * other processes that share the descriptor (a shell's terminal) find it as it was.
 */
function withoutBlocking(descriptor: number): number {
  const kind = fstatSync(descriptor);
  if (kind.isFile()) return descriptor;
  try {
    return openSync(`/proc/self/fd/${descriptor}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    // A socket, or a pipe of another user, as in a container. Node's own stream switches the mode when it is made; it has
    // no other use, and must live as long as the process, since it closes the descriptor with itself.
    if (kind.isSocket() || kind.isFIFO()) switched.add(new Socket({ fd: descriptor, readable: false }).unref());
    return descriptor;
  }
}

const switched = new Set<Socket>();
