import { codecFor } from "../wire/codecs.ts";
import { FrameStream } from "../wire/frame.ts";
import type { Protocol } from "../wire/handshake.ts";
import { Calls } from "./calls.ts";
import { Delivery, type DeliveryHost } from "./delivery.ts";
import { Guard } from "./guard.ts";
import type { Link } from "./link.ts";
import type { Outlet } from "./outlet.ts";
import type { SessionEnd } from "./session-end.ts";
import type { Storage } from "./storage.ts";
import { ToClient } from "./to-client.ts";
import { ToServer } from "./to-server.ts";

export type Side = "client" | "server";

/** What a conversation needs of its session. */
export interface ConversationHost extends Omit<DeliveryHost, "betweenFrames" | "end"> {
  readonly limits: { readonly frameBytes: number; readonly decodeBytes: number };
  nextNumber(): number;
  storage(name: string, family: "old" | "new"): Storage;
  forgetUnused(storage: Storage): void;
  writeClient(bytes: Buffer): void;
  /** `atOnce`: not even what was written before is waited for. */
  end(end: SessionEnd, atOnce: boolean): void;
  /** Frames have MACs: nothing can be repaired. */
  mac(): void;
  /** Registration failed: nothing holds the server's connection back any more. */
  unregistered(): void;
}

/** Before `register` nothing large is said. */
const EARLY_LIMITS = { maxFrameBytes: 64 * 1024, maxHeldBytes: 64 * 1024 };

/** What both sides say once the handshake has told the protocol: frames, and the storage that they are about. */
export class Conversation {
  readonly #host: ConversationHost;
  readonly #outlet: Outlet;
  readonly #link: Link;
  readonly #toServer: FrameStream;
  readonly #toClient: FrameStream;
  #delivery: Delivery | undefined;

  /** `starts`: how many bytes of each stream the handshake was. */
  constructor(
    protocol: Protocol,
    starts: { readonly clientStart?: number; readonly serverStart?: number },
    outlet: Outlet,
    host: ConversationHost,
  ) {
    this.#host = host;
    this.#outlet = outlet;
    const link: Link = {
      protocol,
      codec: codecFor(protocol.encoding),
      calls: new Calls(),
      guard: new Guard(protocol.family === "old"),
      dialect: undefined,
      storage: undefined,
      number: host.nextNumber(),
      voted: false,
    };
    const mac = (): void => host.mac();
    const toServer = new ToServer(link, {
      writeServer: (bytes) => host.writeServer(bytes),
      register: (name) => this.#register(name),
      mac,
    });
    const toClient = new ToClient(link, {
      writeClient: (bytes) => host.writeClient(bytes),
      registerFailed: () => this.#unregister(),
      unexpectedInvalidation: () => {
        host.end({ code: "invalidation-before-register", fault: "server", detail: "an invalidation" }, true);
      },
      questionRefused: () => {
        host.end(
          { code: "question-refused", fault: "server", detail: "no tid", expected: "the last transaction's" },
          false,
        );
      },
      mac,
    });
    this.#link = link;
    this.#toServer = new FrameStream(toServer, EARLY_LIMITS, starts.clientStart);
    this.#toClient = new FrameStream(toClient, EARLY_LIMITS, starts.serverStart);
    this.#toServer.macs = this.#toClient.macs = protocol.family === "old";
  }

  get protocol(): string {
    return this.#link.protocol.name;
  }

  /** The storage's name, from the time `register` is forwarded. */
  get storage(): string | undefined {
    return this.#link.storage?.name;
  }

  /** Has the client been granted a vote that it has neither finished nor aborted? */
  get hasVoted(): boolean {
    return this.#link.voted;
  }

  /** Is a `tpc_finish` of the client's on the way? */
  get isFinishing(): boolean {
    const { storage, number } = this.#link;
    return storage?.ledger.isFinishing(number) ?? false;
  }

  /** Bytes that wait in the ledger's outbox. */
  get heldBytes(): number {
    return this.#link.storage?.ledger.heldBytes(this.#link.number) ?? 0;
  }

  /** Does the ledger still keep the session: as a client's, or for a commit that is on its way? */
  get isKept(): boolean {
    return this.#link.storage?.ledger.isKept(this.#link.number) ?? false;
  }

  get mayPause(): boolean {
    return this.#link.storage?.ledger.mayPause(this.#link.number) ?? true;
  }

  /** The server's connection is read no more, or again. */
  paused(isPaused: boolean): void {
    if (this.#delivery !== undefined) this.#link.storage?.paused(this.#delivery, isPaused);
  }

  // --- what is said -----------------------------------------------------------------------------------------------

  fromClient(chunk: Buffer): void {
    this.#toServer.push(chunk);
  }

  fromServer(chunk: Buffer): void {
    try {
      this.#toClient.push(chunk);
    } catch (error) {
      // It can't be followed any more: the reply to a commit that is on its way will never be known.
      this.#toClient.stop();
      if (this.isFinishing) this.#link.storage?.ledger.serverGone(this.#link.number, true);
      throw error;
    }
  }

  /** From now on bytes are passed on as they are. */
  turnRaw(): void {
    this.#toServer.turnRaw();
    this.#toClient.turnRaw();
  }

  /** Nothing more is read from that side. */
  stop(side: Side): void {
    this.#stream(side).stop();
  }

  /** Where the payload that is being read begins, in bytes of that side's stream. */
  payloadOffset(side: Side): number {
    return this.#stream(side).payloadOffset;
  }

  /** Does that side's stream end inside a frame, if it ends now? And has a part of it been passed on? */
  truncation(side: Side): { readonly end: SessionEnd; readonly isPassedInPart: boolean } | undefined {
    const { truncated, received, midFrame } = this.#stream(side);
    if (!truncated) return undefined;
    const detail = "the end of the stream";
    const end = { code: "truncated-frame", fault: side, detail, offset: received, expected: "the rest of a frame" };
    return { end, isPassedInPart: midFrame };
  }

  #stream(side: Side): FrameStream {
    return side === "client" ? this.#toServer : this.#toClient;
  }

  // --- the storage ------------------------------------------------------------------------------------------------

  #register(name: string): Storage {
    const host = this.#host;
    const link = this.#link;
    const storage = host.storage(name, link.protocol.family);
    link.storage = storage;
    this.#delivery = new Delivery(link, storage, this.#outlet, {
      upstream: host.upstream,
      writeServer: (bytes) => host.writeServer(bytes),
      betweenFrames: (work) => this.#toServer.between(work),
      isEnded: () => host.isEnded(),
      end: (end) => host.end(end, false),
      failed: (error) => host.failed(error),
      announced: (repair) => host.announced(repair),
      asked: () => host.asked(),
      finished: () => host.finished(),
      closeClient: () => host.closeClient(),
      closeServer: () => host.closeServer(),
      flowChanged: () => host.flowChanged(),
    });
    storage.join(link.number, this.#delivery);
    const { frameBytes, decodeBytes } = host.limits;
    const limits = { maxFrameBytes: frameBytes, maxHeldBytes: Math.min(decodeBytes, frameBytes) };
    for (const stream of [this.#toServer, this.#toClient]) {
      stream.limits = limits;
      // MACs begin with `register`, or never.
      stream.macs = false;
    }
    return storage;
  }

  /** Registration failed. The client may try again. */
  #unregister(): void {
    const link = this.#link;
    const { storage } = link;
    if (storage === undefined) return;
    storage.leave(link.number);
    link.storage = undefined;
    link.number = this.#host.nextNumber();
    this.#delivery = undefined;
    this.#host.unregistered();
    this.#host.forgetUnused(storage);
  }

  /** The ledger owes the client nothing any more. Returns whether a commit of its is still on the way. */
  forget(): boolean {
    const { storage, number } = this.#link;
    if (storage === undefined) return false;
    storage.ledger.clientGone(number);
    const isOrphan = this.isKept;
    if (!isOrphan) storage.leave(number);
    storage.run(number);
    this.#host.forgetUnused(storage);
    return isOrphan;
  }

  /** The server's connection has ended; what may still go out goes out. */
  serverGone(mayStillRead: boolean): void {
    const { storage, number } = this.#link;
    storage?.ledger.serverGone(number, mayStillRead);
    storage?.run(number);
  }

  /** The ledger has done with the session. */
  leaveUnlessKept(): void {
    if (!this.isKept) this.#link.storage?.leave(this.#link.number);
  }
}
