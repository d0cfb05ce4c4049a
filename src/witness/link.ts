import type { Clock } from "../clock.ts";
import type { Connection, ConnectionHandler } from "../session/connection.ts";
import type { InvalidationArgs } from "../wire/codec.ts";
import { ProtocolError } from "../wire/errors.ts";
import { framed, FrameStream, type FrameHandler, type Hold, type Verdict } from "../wire/frame.ts";
import { Greeting } from "../wire/greeting.ts";
import type { Protocol } from "../wire/handshake.ts";
import { INVALIDATE, REPLY } from "../wire/methods.ts";
import { pickleCodec } from "../wire/pickle-codec.ts";
import { replyHead } from "../wire/pickle/reply-head.ts";
import type { Value } from "../wire/value.ts";
import { answerTo } from "./answer.ts";
import { Calls, type Answered } from "./calls.ts";

/** What a link tells; not while one of its own methods runs. */
export interface LinkHost {
  /** The server has greeted, and is answered that this will be spoken. */
  greeted(protocol: Protocol): void;
  /** It has greeted with something else. */
  unknown(): void;
  /** It has not greeted for so long. */
  silent(): void;
  told(args: InvalidationArgs): void;
  /** Nothing has come of the greeting, or of any reply while calls wait for theirs, for `stallMs`; */
  stalled(): void;
  /** and now something has. */
  goesOn(): void;
  /** The connection has ended, or had to be. Nothing more is told. */
  over(reason: string): void;
}

export interface LinkLimits {
  /** After so long with nothing it is called stalled, in ms. */
  readonly stallMs: number;
  /** How long the greeting may take, in ms, */
  readonly greetMs: number;
  /** and how long nothing may come of any reply while calls wait for theirs. */
  readonly answerMs: number;
  /** The longest invalidation that is read. */
  readonly frameBytes: number;
}

/** A frame's length has 32 bits, and the highest one is an old side's MAC. What passes takes no memory, however long it is. */
const MAX_FRAME_BYTES = 2 ** 31 - 1;

/** One connection to the server, from its greeting on: frames, calls, and how long replies may take. */
export class Link {
  readonly #connection: Connection;
  readonly #clock: Clock;
  readonly #limits: LinkLimits;
  readonly #host: LinkHost;
  readonly #greeting = new Greeting();
  readonly #hold: Hold;
  readonly #calls = new Calls();
  #stream: FrameStream | undefined;
  #isOld = false;
  /** The server has not replied to anything yet: how it writes is not known. */
  #isNew = true;
  #isOver = false;
  /** What was read of the chunk that is being read, in order. */
  #read: (() => void)[] = [];
  /** What is to be written when that is done: one write, so that no server holds a part of its replies back (Nagle). */
  #written: Buffer[] | undefined;
  /** An old server has told something while a call waits. */
  #holdsBack = false;
  /** A frame that flows by belongs to a reply. */
  #isReply = false;
  /** Another number whenever something of a reply has come. */
  #progress = 0;
  #isStalled = false;
  #cancelTimer: (() => void) | undefined;

  constructor(connection: Connection, clock: Clock, limits: LinkLimits, host: LinkHost) {
    this.#connection = connection;
    this.#clock = clock;
    this.#limits = limits;
    this.#host = host;
    this.#hold = { maxBytes: limits.frameBytes, what: "an invalidation" };
    const stallMs = Math.min(limits.stallMs, limits.greetMs);
    this.#cancelTimer = clock.after(stallMs, () => {
      this.#cancelTimer = clock.after(limits.greetMs - stallMs, () => this.#over(() => host.silent()));
      this.#stalls();
    });
    connection.handOver(this.#handler());
  }

  /** `answered` is told the reply, unless the link is over before. */
  call(method: string, args: readonly Value[], answered: Answered): void {
    if (this.#isOver) return;
    this.#write(this.#calls.call(method, args, answered));
    if (this.#cancelTimer === undefined) this.#watch();
  }

  /** A name as an argument. */
  name(text: string): Value {
    return this.#calls.name(text);
  }

  oneWay(method: string, args: readonly Value[]): void {
    if (!this.#isOver) this.#write(this.#calls.oneWay(method, args));
  }

  /** Writes what `work` calls together. */
  together(work: () => void): void {
    if (this.#written !== undefined) {
      work();
      return;
    }
    this.#written = [];
    try {
      work();
    } finally {
      const written = this.#written;
      this.#written = undefined;
      if (written.length > 0 && !this.#isOver) this.#connection.write(Buffer.concat(written));
    }
  }

  /** Closes it at once. Nothing more is told. */
  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stream?.stop();
    this.#cancelTimer?.();
    this.#connection.handOver(DEAF);
    this.#connection.carryOut("destroy");
  }

  /** The server has said what it must not. Only in what an answer leads to. */
  fail(reason: string): void {
    this.#over(() => this.#host.over(reason));
  }

  #over(tell: () => void): void {
    if (this.#isOver) return;
    this.close();
    tell();
  }

  #write(frame: Buffer): void {
    if (this.#written !== undefined) this.#written.push(frame);
    else this.#connection.write(frame);
  }

  /** Something of a reply must come from time to time, as long as any is missing. */
  #watch(): void {
    const { answerMs } = this.#limits;
    const stallMs = Math.min(this.#limits.stallMs, answerMs);
    this.#unlessProgress(stallMs, () => {
      this.#unlessProgress(answerMs - stallMs, () => this.fail("unanswered"));
      this.#stalls();
    });
  }

  #unlessProgress(ms: number, then: () => void): void {
    const before = this.#progress;
    this.#cancelTimer = this.#clock.after(ms, () => {
      this.#cancelTimer = undefined;
      if (this.#calls.pending === 0) return;
      if (this.#progress === before) then();
      else this.#watch();
    });
  }

  #stalls(): void {
    this.#isStalled = true;
    this.#host.stalled();
  }

  #hasProgress(): void {
    this.#progress++;
    if (!this.#isStalled) return;
    this.#isStalled = false;
    this.#read.push(() => this.#host.goesOn());
  }

  #handler(): ConnectionHandler {
    return {
      read: (bytes) => this.together(() => this.#received(bytes)),
      ended: () => this.fail("ended"),
      drained: () => undefined,
      closed: () => this.fail("closed"),
    };
  }

  #received(bytes: Buffer): void {
    let code: string | undefined;
    try {
      if (this.#stream === undefined) this.#greet(bytes);
      else this.#stream.push(bytes);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      ({ code } = error);
    }
    const read = this.#read;
    this.#read = [];
    for (const tell of read) {
      if (this.#isOver) return;
      tell();
    }
    if (code !== undefined) this.fail(code);
    else this.#acknowledge();
  }

  /**
   * An old server's sockets do not send what is small before what was sent before it is acknowledged (Nagle), which this
   * system delays by 40 ms where nothing is to be written: so what it has told would keep the reply back. Any write does.
   */
  #acknowledge(): void {
    const isDue = this.#holdsBack && this.#calls.pending > 0 && this.#written?.length === 0;
    this.#holdsBack = false;
    if (isDue) this.oneWay("iterator_gc", [[]]);
  }

  #greet(bytes: Buffer): void {
    const greeted = this.#greeting.push(bytes);
    switch (greeted.kind) {
      case "more":
        return;
      case "unknown":
        this.#over(() => this.#host.unknown());
        return;
      case "greeted": {
        const answer = answerTo(greeted.newest);
        if (answer === undefined) {
          this.#over(() => this.#host.unknown());
          return;
        }
        this.#cancelTimer?.();
        this.#cancelTimer = undefined;
        this.#hasProgress();
        this.#isOld = answer.family === "old";
        const limits = { maxFrameBytes: MAX_FRAME_BYTES, maxHeldBytes: this.#limits.frameBytes };
        this.#stream = new FrameStream(this.#frames(), limits);
        this.#write(framed(Buffer.from(answer.name)));
        this.#read.push(() => this.#host.greeted(answer));
        this.#stream.push(greeted.rest);
        return;
      }
      default:
        greeted satisfies never;
    }
  }

  #frames(): FrameHandler {
    return {
      begin: (head, length) => this.#begin(head, length),
      flow: () => {
        if (this.#isReply) this.#hasProgress();
      },
      frame: (_frame, payload) => {
        const envelope = pickleCodec.peek(payload);
        if (envelope === undefined) return;
        const { tid, oids } = pickleCodec.invalidation(payload, envelope);
        const args = { tid, oids: Buffer.from(oids) };
        this.#holdsBack = this.#isOld;
        this.#read.push(() => this.#host.told(args));
      },
    };
  }

  #begin(head: Buffer, length: number): Verdict {
    const envelope = pickleCodec.peek(head);
    if (envelope === undefined) {
      if (head.length < length) return "more";
      throw new ProtocolError("bad-pickle", head.length, "a message", "the end");
    }
    const { id, method } = envelope;
    this.#isReply = method === REPLY;
    if (method === INVALIDATE) return this.#hold;
    // Others are one-way, and nothing to a witness.
    if (method !== REPLY) return "pass";
    if (!this.#calls.isWaiting(id)) throw new ProtocolError("bad-message", 0, "a reply to a call", "another one");
    const reply = replyHead(head, length, envelope);
    if (reply === undefined) return "more";
    if (this.#isNew) {
      this.#isNew = false;
      this.#calls.dialect = pickleCodec.dialect(head, this.#isOld) ?? this.#calls.dialect;
    }
    const answered = this.#calls.take(id);
    if (answered !== undefined) this.#read.push(() => answered(reply));
    return "pass";
  }
}

/** Nobody wants to know any more. */
const DEAF: ConnectionHandler = {
  read: () => undefined,
  ended: () => undefined,
  drained: () => undefined,
  closed: () => undefined,
};
