import type { Announcement, EndCode } from "../ledger/state.ts";
import { framed } from "../repair/encoder.ts";
import type { InvalidationArgs } from "../wire/codec.ts";
import { LENGTH_BYTES } from "../wire/frame.ts";
import { INVALIDATE } from "../wire/methods.ts";
import { tidHex, type Tid } from "../wire/ids.ts";
import { PyTuple } from "../wire/value.ts";
import { QUESTION_ID } from "./calls.ts";
import type { Link } from "./link.ts";
import type { Outlet } from "./outlet.ts";
import type { SessionEnd } from "./session-end.ts";
import type { Held, Member, Storage } from "./storage.ts";

/** What carrying out the ledger's decisions needs of the session. */
export interface DeliveryHost {
  readonly upstream: string;
  writeServer(bytes: Buffer): void;
  /** Does it as soon as no frame of the client's is passed on in part. */
  betweenFrames(work: () => void): void;
  /** Nothing is to be written to the client any more. */
  isEnded(): boolean;
  end(end: SessionEnd): void;
  /** Carrying out a decision has thrown this. */
  failed(error: unknown): void;
  announced(repair: "completed" | "synthesized"): void;
  asked(): void;
  /** A `tpc_finish` reply was written. */
  finished(): void;
  closeClient(): void;
  closeServer(): void;
  flowChanged(): void;
}

/** Carries out for one session what its storage's ledger decides. The guard stands before the client's socket. */
export class Delivery implements Member {
  readonly upstream: string;
  readonly #link: Link;
  readonly #outlet: Outlet;
  readonly #host: DeliveryHost;
  readonly #storage: Storage;

  constructor(link: Link, storage: Storage, outlet: Outlet, host: DeliveryHost) {
    this.upstream = host.upstream;
    this.#link = link;
    this.#storage = storage;
    this.#outlet = outlet;
    this.#host = host;
  }

  forward(held: Held): void {
    if (this.#host.isEnded()) return;
    const { frame, envelope, role } = held;
    if (envelope.method === INVALIDATE) {
      const { tid } = this.#storage.reader.read(this.#link.codec, frame.subarray(LENGTH_BYTES), envelope);
      if (this.#isRefused(tid)) return;
    }
    this.#outlet.write(frame);
    if (role === "register") this.#link.guard.registerReplyWritten();
    if (role === "finish") {
      this.#link.guard.finishReplyWritten();
      this.#host.finished();
    }
  }

  announce(repair: "completed" | "synthesized", announcement: Announcement): void {
    if (this.#host.isEnded()) return;
    const { codec, dialect, protocol } = this.#link;
    if (dialect === undefined) {
      this.#host.end(unknownDialect(announcement.tid));
      return;
    }
    const shape = protocol.versions ? "pairs" : "plain";
    const encoded = this.#storage.encoder.encode(codec, dialect, shape, announcement);
    if (this.#isRefused(announcement.tid)) return;
    this.#outlet.announce(encoded);
    this.#host.announced(repair);
  }

  resume(value: InvalidationArgs | undefined, { frame, envelope }: Held): void {
    if (this.#host.isEnded()) return;
    const { codec, dialect, protocol } = this.#link;
    if (dialect === undefined) {
      this.#host.end(unknownDialect(value?.tid));
      return;
    }
    const shape = protocol.versions ? "pairs" : "plain";
    const payload = frame.subarray(LENGTH_BYTES);
    this.#outlet.write(framed(codec.encodeInvalidationsReply(payload, envelope, dialect, shape, value)));
  }

  ask(): void {
    this.#host.betweenFrames(() => this.#ask());
  }

  #ask(): void {
    const { codec, protocol } = this.#link;
    // Protocol 1 is what every server reads.
    const dialect = protocol.encoding === "msgpack" ? "msgpack" : "pickle1";
    this.#host.writeServer(framed(codec.encode(dialect, QUESTION_ID, 0, "lastTransaction", new PyTuple([]))));
    this.#host.asked();
  }

  endBy(code: EndCode, tid: Tid): void {
    this.#host.end({ code, fault: "proxy", detail: tidHex(tid) });
  }

  failed(error: unknown): void {
    this.#host.failed(error);
  }

  closeClient(): void {
    this.#host.closeClient();
  }

  closeServer(): void {
    this.#host.closeServer();
  }

  flowChanged(): void {
    this.#host.flowChanged();
  }

  #isRefused(tid: Tid): boolean {
    const code = this.#link.guard.refuses(tid);
    if (code === undefined) return false;
    this.#host.end({ code, fault: "proxy", detail: tidHex(tid) });
    return true;
  }
}

function unknownDialect(tid: Tid | undefined): SessionEnd {
  return { code: "unknown-dialect", fault: "server", detail: tid === undefined ? "" : tidHex(tid) };
}
