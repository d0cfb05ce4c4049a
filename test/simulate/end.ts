import type { Connection, ConnectionCommand, ConnectionHandler, Seen } from "../../src/session/connection.ts";
import type { Link } from "./link.ts";
import type { Network } from "./network.ts";

const GARBAGE = 0xa5;
/** What one `read` hands over at most. */
const MAX_READ = 64 * 1024;
const scratch = Buffer.alloc(MAX_READ);
/** Of small sizes: making one takes longer than filling it. */
const views: Buffer[] = Array.from({ length: 1024 }, (_, size) => scratch.subarray(0, size));
/** What an end keeps room for at first. */
const FIRST_ROOM = 512;

interface Written {
  readonly at: number;
  readonly work: () => void;
}

/** One end of a simulated connection, with what it has written and the other end has not read. */
export class End implements Connection {
  readonly peer: string;
  /** Who has it: only a subject's ends are paired, or killed together. */
  readonly owner: string;
  other!: End;
  handler: ConnectionHandler | undefined;
  /** Of a connection of the subject's own client. */
  isWitness = false;
  /** Its owner says what nobody can follow. */
  isOdd = false;
  /** The conversation that it is a part of, as far as the world knows. */
  link: Link | undefined;
  readonly #network: Network;
  /** Bytes in the network and in the other end's buffer at most; more is queued here. */
  readonly #window: number;
  readonly #highWater: number;
  /** What it writes takes so many times as long as the usual. */
  readonly #slowness: number;

  // what was written: counted, and what of it has not been delivered, from `#from` on
  #bytes: Buffer = Buffer.allocUnsafe(FIRST_ROOM);
  #from = 0;
  #written = 0;
  #delivered = 0;
  #callbacks: Written[] = [];
  #isPlanned = false;
  #isBehind = false;
  /** Our half is closed behind what was written. */
  #isEnded = false;
  /** The other end is told of a reset instead. */
  #isReset = false;
  #isEndTold = false;

  // what is read
  #isPaused = false;
  #endRead = false;
  #isOpen = true;
  #isClosedTold = false;

  readonly #flowNow = (): void => this.#flow();

  constructor(network: Network, owner: string, peer: string) {
    this.#network = network;
    this.owner = owner;
    this.peer = peer;
    this.#window = network.window();
    this.#highWater = network.highWater();
    this.#slowness = network.slowness();
  }

  get queuedBytes(): number {
    return Math.max(0, this.#written - this.#delivered - this.#window);
  }

  get progress(): number {
    return this.#delivered;
  }

  get isBehind(): boolean {
    return this.#isBehind;
  }

  get isSubjects(): boolean {
    return this.owner.startsWith("subject");
  }

  /** Neither closed nor broken. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Its half is closed: it writes nothing more. */
  get hasEnded(): boolean {
    return this.#isEnded || !this.#isOpen;
  }

  get isClosed(): boolean {
    return this.#isClosedTold;
  }

  get unread(): number {
    return this.other.#written - this.other.#delivered;
  }

  describe(): string {
    const state = (end: End): string =>
      `${end.owner} ${end.isOpen ? "open" : "closed"}${end.#isEnded ? ", ended" : ""}${end.#endRead ? ", end read" : ""}${end.#isPaused ? ", paused" : ""}${end.handler === undefined ? ", nobody" : ""}, ${end.#written - end.#delivered} bytes on their way`;
    return `${this.peer}: ${state(this)}; other end: ${state(this.other)}`;
  }

  write(bytes: Buffer, written?: () => void): boolean {
    if (!this.#isOpen || this.#isEnded) {
      if (written !== undefined) this.#network.soon(written);
      return true;
    }
    this.#network.wrote(this, bytes);
    // What it was given may be overwritten as soon as this returns.
    if (bytes.length > 0) this.#append(bytes);
    if (written !== undefined) {
      this.#callbacks.push({ at: this.#written, work: written });
      if (this.queuedBytes === 0) this.#network.soon(() => this.#left());
    }
    if (this.queuedBytes > this.#highWater) this.#isBehind = true;
    this.#plan();
    return !this.#isBehind;
  }

  #append(bytes: Buffer): void {
    const { length } = bytes;
    const held = this.#written - this.#delivered;
    if (this.#from + held + length > this.#bytes.length) {
      const needed = held + length;
      const room = needed * 2 > this.#bytes.length ? Buffer.allocUnsafeSlow(needed * 2) : this.#bytes;
      this.#bytes.copy(room, 0, this.#from, this.#from + held);
      this.#bytes = room;
      this.#from = 0;
    }
    const at = this.#from + held;
    if (length > 40) this.#bytes.set(bytes, at);
    else for (let i = 0; i < length; i++) this.#bytes[at + i] = bytes[i] as number;
    this.#written += length;
  }

  carryOut(command: ConnectionCommand): void {
    if (!this.#isOpen) return;
    this.#network.trace?.(() => `${this.owner} ${command}s ${this.peer}`);
    switch (command) {
      case "pause":
        this.#isPaused = true;
        return;
      case "resume":
        this.#isPaused = false;
        this.other.#plan();
        return;
      case "end":
        this.#isEnded = true;
        this.#plan();
        return;
      case "destroy":
        this.#destroy();
    }
  }

  ask(told: (seen: Seen | undefined) => void): void {
    const hasLeft = this.other.hasEnded;
    this.#network.soon(() => told({ unacknowledged: 0, hasLeft }));
  }

  handOver(handler: ConnectionHandler): void {
    const isFirst = this.handler === undefined;
    this.handler = handler;
    if (!isFirst) return;
    // What came before is told now.
    this.other.#plan();
    this.#network.soon(() => this.#closeWhenDone());
  }

  /** It breaks here. What was taken of what it wrote still reaches the other end if `isLate`. */
  break(isLate: boolean): void {
    if (!this.#isOpen) return;
    this.#network.trace?.(() => `${this.owner}'s ${this.peer} breaks${isLate ? " late" : ""}`);
    if (isLate) this.#keepTaken();
    else this.#drop();
    this.#isReset = true;
    this.#close();
    this.#plan();
    this.other.#plan();
  }

  #destroy(): void {
    this.#keepTaken();
    // A real one is answered by a reset if something was left unread, else by a FIN.
    if (!this.#isEnded && this.unread > 0 && this.#network.resetsUnread()) this.#isReset = true;
    this.#isEnded = true;
    this.#close();
    this.#plan();
    // What comes now is answered by a reset.
    this.other.#plan();
  }

  /** Of what it wrote only what the network has taken will arrive: perhaps a part of a frame. */
  #keepTaken(): void {
    this.#written -= this.queuedBytes;
  }

  #drop(): void {
    this.#written = this.#delivered;
  }

  #close(): void {
    this.#isOpen = false;
    if (this.isWitness) this.#network.witnessTroubled(this);
    this.#network.later(() => {
      if (this.#isClosedTold) return;
      this.#isClosedTold = true;
      this.#left();
      this.#network.closed(this);
      this.handler?.closed();
    });
  }

  #plan(): void {
    if (this.#isPlanned) return;
    if (this.#written === this.#delivered && (this.#isEndTold || !(this.#isEnded || this.#isReset))) return;
    this.#isPlanned = true;
    this.#network.flow(this.#flowNow, this.#slowness, this);
  }

  /** Something of what was written arrives. */
  #flow(): void {
    this.#isPlanned = false;
    const to = this.other;
    if (!to.#isOpen) {
      this.#arriveAtNobody();
      return;
    }
    if (to.handler === undefined || to.#isPaused) return;
    const all = Math.min(this.#written - this.#delivered, this.#window);
    if (all > 0) this.#hand(to, this.#network.chunk(Math.min(all, MAX_READ)));
    if (this.#delivered === this.#written && (this.#isEnded || this.#isReset)) this.#tellEnd(to);
    else this.#plan();
  }

  #hand(to: End, size: number): void {
    this.#bytes.copy(scratch, 0, this.#from, this.#from + size);
    this.#from += size;
    this.#delivered += size;
    if (this.#delivered === this.#written) this.#from = 0;
    const view = views[size] ?? scratch.subarray(0, size);
    this.#network.reads(to, view);
    to.handler?.read(view);
    this.#network.hasRead();
    scratch.fill(GARBAGE, 0, size);
    if (this.#isOpen) {
      if (this.#callbacks.length > 0) this.#network.soon(() => this.#left());
      if (this.#isBehind && this.queuedBytes === 0) this.#network.soon(() => this.#drained());
      if (this.#isEnded) this.#network.soon(() => this.#closeWhenDone());
    }
  }

  #drained(): void {
    if (!this.#isBehind || this.queuedBytes > 0) return;
    this.#isBehind = false;
    if (this.#isOpen && !this.#isEnded) this.handler?.drained();
  }

  /** Tells of writes that have left, or never will. */
  #left(): void {
    const taken = this.#isOpen ? this.#delivered + this.#window : Infinity;
    while (this.#callbacks.length > 0 && (this.#callbacks[0] as Written).at <= taken) this.#callbacks.shift()?.work();
  }

  #tellEnd(to: End): void {
    if (this.#isEndTold) return;
    this.#isEndTold = true;
    if (this.#isReset) {
      to.#drop();
      to.#close();
      return;
    }
    to.#endRead = true;
    this.#network.trace?.(() => `${to.owner} reads the end of ${to.peer}`);
    to.handler?.ended();
    this.#network.soon(() => to.#closeWhenDone());
    this.#network.soon(() => this.#closeWhenDone());
  }

  /** Both halves are closed, and all has left. */
  #closeWhenDone(): void {
    if (this.#isOpen && this.#isEnded && this.#endRead && this.queuedBytes === 0) this.#close();
  }

  /** The other end is closed already: bytes that come are answered by a reset. */
  #arriveAtNobody(): void {
    const hadBytes = this.#written > this.#delivered;
    this.#drop();
    if (!this.#isOpen) return;
    if (hadBytes) this.#close();
    else if (this.#isEnded) this.#closeWhenDone();
  }
}
