import type { Tid } from "../wire/ids.ts";

/** A message that the embedded server is about to write. */
export interface Outgoing {
  /** Connections count from 1 in the order in which they were accepted. */
  readonly connection: number;
  readonly kind: "reply" | "exception" | "invalidation" | "one-way";
  /** Of a reply and an exception: the method that it answers. */
  readonly method: string;
  /** Of an invalidation; of a `tpc_finish` reply. */
  readonly tid: Tid | undefined;
}

/** A message that the embedded server has read and is about to work on. */
export interface Incoming {
  readonly connection: number;
  readonly method: string;
  readonly oneWay: boolean;
}

/**
 * What a `Hold` keeps back. `message`: only the messages that match, later ones overtake them, as they do on a busy
 * server. `connection`: everything behind the first one on that connection too, as on a slow network.
 */
export type Scope = "message" | "connection";

/** Messages that a test keeps back, until it lets them go. Made by `Gate.outgoing` and `Gate.incoming`. */
export class Hold<M> {
  readonly matches: (message: M) => boolean;
  readonly scope: Scope;
  readonly #held: { readonly message: M; readonly go: () => void }[] = [];
  #arrived = 0;
  #opened = false;
  #waiters: { readonly count: number; readonly resolve: () => void }[] = [];

  constructor(matches: (message: M) => boolean, scope: Scope) {
    this.matches = matches;
    this.scope = scope;
  }

  /** Held now, oldest first. */
  get messages(): readonly M[] {
    return this.#held.map((entry) => entry.message);
  }

  get opened(): boolean {
    return this.#opened;
  }

  /** Resolves when `count` messages in all have been caught since the start; rejects after `timeoutMs`. */
  caught(count = 1, timeoutMs = 5000): Promise<void> {
    if (this.#arrived >= count) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`caught ${this.#arrived} of ${count} messages in ${timeoutMs} ms`));
      }, timeoutMs);
      this.#waiters.push({
        count,
        resolve: () => {
          clearTimeout(timer);
          resolve();
        },
      });
    });
  }

  /** Lets the oldest `count` go (all by default); goes on catching. */
  release(count = this.#held.length): void {
    for (const entry of this.#held.splice(0, count)) entry.go();
  }

  /** Lets all go and catches no more. */
  open(): void {
    this.#opened = true;
    this.release();
  }

  /** For the connection: keeps the message back and runs `go` when it may continue. */
  take(message: M, go: () => void): void {
    this.#held.push({ message, go });
    this.#arrived += 1;
    const ready = this.#waiters.filter((waiter) => waiter.count <= this.#arrived);
    this.#waiters = this.#waiters.filter((waiter) => waiter.count > this.#arrived);
    for (const waiter of ready) waiter.resolve();
  }
}

/** Where tests hold messages back on purpose, so that every order of events can be made and not only hoped for. */
export class Gate {
  #outgoing: Hold<Outgoing>[] = [];
  #incoming: Hold<Incoming>[] = [];

  /** Holds what the server writes. */
  outgoing(matches: (message: Outgoing) => boolean, scope: Scope = "message"): Hold<Outgoing> {
    const hold = new Hold(matches, scope);
    this.#outgoing.push(hold);
    return hold;
  }

  /** Holds what the server has read: it is as if the server had not got it yet; that client's later calls wait too. */
  incoming(matches: (message: Incoming) => boolean): Hold<Incoming> {
    const hold = new Hold(matches, "connection");
    this.#incoming.push(hold);
    return hold;
  }

  /** Opens every hold. */
  open(): void {
    for (const hold of [...this.#outgoing, ...this.#incoming]) hold.open();
    this.#outgoing = [];
    this.#incoming = [];
  }

  holderOfOutgoing(message: Outgoing): Hold<Outgoing> | undefined {
    return this.#outgoing.find((hold) => !hold.opened && hold.matches(message));
  }

  holderOfIncoming(message: Incoming): Hold<Incoming> | undefined {
    return this.#incoming.find((hold) => !hold.opened && hold.matches(message));
  }
}
