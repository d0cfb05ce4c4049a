import type { Codec, Dialect } from "../wire/codec.ts";
import { codecFor } from "../wire/codecs.ts";
import { FrameStream, type FrameHandler } from "../wire/frame.ts";
import type { Protocol } from "../wire/handshake.ts";
import { sessionEnd, type SessionEnd } from "../happening/ends.ts";
import { Calls } from "./calls.ts";
import type { Party } from "./connection.ts";
import { Guard } from "./guard.ts";
import { MAX_EARLY_BYTES, type HandshakeStep } from "./handshake.ts";
import { OpenReads } from "./open-reads.ts";
import type { QuestionIds } from "./question-ids.ts";

/** What is spoken with one of the two ends. (The same with both, as long as nothing is translated.) */
export interface Side {
  readonly protocol: Protocol;
  readonly codec: Codec;
  /** How what goes to the client is written: as its server does, as soon as that has written. */
  dialect: Dialect | undefined;
}

/** Who looks at the frames of each direction. */
export interface Handlers {
  readonly toServer: FrameHandler;
  readonly toClient: FrameHandler;
}

/** Before `register` nothing large is said. */
const EARLY_LIMITS = { maxFrameBytes: MAX_EARLY_BYTES, maxHeldBytes: MAX_EARLY_BYTES };

/** What both directions of a session share once the handshake has told the protocol. */
export class Conversation {
  readonly client: Side;
  readonly server: Side;
  readonly calls: Calls;
  readonly guard: Guard;
  /** Of a client of an old server. */
  readonly reads: OpenReads | undefined;
  /** What is read from the client, and what from the server. */
  readonly clientFrames: FrameStream;
  readonly serverFrames: FrameStream;

  /** The step tells how many bytes of each stream the handshake was; `early` looks at the first frames. */
  constructor(
    protocol: Protocol,
    { clientStart, serverStart }: HandshakeStep,
    questionIds: QuestionIds,
    early: (codec: Codec, calls: Calls) => Handlers,
  ) {
    this.calls = new Calls(questionIds);
    const codec = codecFor(protocol.encoding);
    this.client = { protocol, codec, dialect: undefined };
    this.server = { protocol, codec, dialect: undefined };
    this.reads = protocol.family === "old" ? new OpenReads() : undefined;
    this.guard = new Guard(protocol.family === "old");
    const { toServer, toClient } = early(codec, this.calls);
    this.clientFrames = new FrameStream(toServer, EARLY_LIMITS, clientStart);
    this.serverFrames = new FrameStream(toClient, EARLY_LIMITS, serverStart);
    this.clientFrames.macs = this.serverFrames.macs = protocol.family === "old";
  }

  /** The frames that are read from that party. */
  from(party: Party): FrameStream {
    return party === "client" ? this.clientFrames : this.serverFrames;
  }

  /** From the next frames on those two look at them. */
  continueWith(next: Handlers, limits = EARLY_LIMITS): void {
    this.clientFrames.handler = next.toServer;
    this.serverFrames.handler = next.toClient;
    this.clientFrames.limits = this.serverFrames.limits = limits;
    // MACs begin with `register`, or never.
    this.clientFrames.macs = this.serverFrames.macs = false;
  }

  /** How that party's stream is cut off, if it ends now. */
  truncation(party: Party): SessionEnd | undefined {
    const { truncated, received } = this.from(party);
    if (!truncated) return undefined;
    const expected = "the rest of a frame";
    return sessionEnd("truncated-frame", "the end of the stream", { sender: party, offset: received, expected });
  }
}
