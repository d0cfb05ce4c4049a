// What all sessions together may keep of what others have not taken yet. Beyond it whoever holds most goes first.

/** Less is not worth telling. */
const STEP_BYTES = 4096;

/** The whole process's. */
export class Memory {
  #limitBytes: number;
  readonly #shares = new Set<Share>();
  #bytes = 0;

  /** `limits.memory` */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get limitBytes(): number {
    return this.#limitBytes;
  }

  /** Another `limits.memory`: who holds most of what is too much now goes at once. */
  set limitBytes(limitBytes: number) {
    this.#limitBytes = limitBytes;
    this.changed(0);
  }

  /** What is held, in all, measured now. */
  get bytes(): number {
    this.#measure();
    return this.#bytes;
  }

  /**
   * A share for one more. `free`: it holds most, and is to let go of it; what it held is counted no more. `measure`: what it
   * holds now, which may have become less without a word.
   */
  share(free: () => void, measure?: () => number): Share {
    const share = new Share(this, free, measure);
    this.#shares.add(share);
    return share;
  }

  changed(by: number): void {
    this.#bytes += by;
    if (this.#bytes > this.#limitBytes) this.#measure();
    while (this.#bytes > this.#limitBytes) {
      let heaviest: Share | undefined;
      for (const share of this.#shares) if (share.bytes > (heaviest?.bytes ?? 0)) heaviest = share;
      if (heaviest === undefined) return;
      heaviest.leave();
      heaviest.free();
    }
  }

  #measure(): void {
    this.#bytes = 0;
    for (const share of this.#shares) this.#bytes += share.measured();
  }

  left(share: Share): void {
    if (this.#shares.delete(share)) this.#bytes -= share.bytes;
  }
}

export class Share {
  readonly free: () => void;
  readonly #memory: Memory;
  readonly #measure: (() => number) | undefined;
  #bytes = 0;
  #hasLeft = false;

  constructor(memory: Memory, free: () => void, measure: (() => number) | undefined) {
    this.#memory = memory;
    this.free = free;
    this.#measure = measure;
  }

  /** What it holds, looked at now. */
  measured(): number {
    if (this.#measure !== undefined) this.#bytes = this.#measure();
    return this.#bytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** So much is held now. This may free others, or itself. */
  set(bytes: number): void {
    const by = bytes - this.#bytes;
    if (this.#hasLeft || (by < STEP_BYTES && by > -STEP_BYTES && (bytes > 0 || by === 0))) return;
    this.#bytes = bytes;
    this.#memory.changed(by);
  }

  /** Nothing is held any more, nor will be. */
  leave(): void {
    this.#hasLeft = true;
    this.#memory.left(this);
  }
}
