import type { Socket } from "node:net";
import type { Codec, Dialect } from "../wire/codec.ts";
import { codecFor } from "../wire/codecs.ts";
import { protocolNamed, RUOK } from "../wire/handshake.ts";
import type { Tid } from "../wire/ids.ts";
import { NO_TID } from "../wire/ids.ts";
import { PyTuple } from "../wire/value.ts";
import type { Value } from "../wire/value.ts";
import { Arguments } from "./arguments.ts";
import type { ServerBehaviour } from "./behaviour.ts";
import { exceptionReply } from "./exceptions.ts";
import { StorageFault } from "./faults.ts";
import type { Fault } from "./faults.ts";
import { FrameAssembler, frameOf } from "./framing.ts";
import type { Gate, Outgoing } from "./gate.ts";
import type { HostedStorage } from "./hosted-storage.ts";
import { decodeMessage } from "./message.ts";
import type { Message } from "./message.ts";
import { methodsOf } from "./methods.ts";
import { Caller } from "./caller.ts";
import type { Answer, CallerLink } from "./caller.ts";
import { tidOfReply } from "./reply-tid.ts";

const MAX_FRAME_BYTES = 256 * 1024 * 1024;

/** What all connections of one server share. */
export interface ConnectionContext {
  readonly behaviour: ServerBehaviour;
  readonly storages: ReadonlyMap<string, HostedStorage>;
  readonly gate: Gate;
  readonly problem: (connection: number, text: string) => void;
}

/** One client's TCP connection to the embedded server: handshake, then calls one after the other. */
export class Connection implements CallerLink {
  readonly connection: number;
  /** Resolves when the connection is gone, whoever ended it. */
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #context: ConnectionContext;
  readonly #assembler = new FrameAssembler(MAX_FRAME_BYTES);
  readonly #inbox: Buffer[] = [];
  /** A test holds a call of this client. */
  #paused = false;
  /** What waits behind an outgoing message that a test holds with the scope `connection`. */
  #blocked: { readonly message: Outgoing; readonly payload: Buffer }[] | undefined;
  #protocol: string | undefined;
  #codec: Codec | undefined;
  #caller: Caller | undefined;

  constructor(socket: Socket, connection: number, context: ConnectionContext) {
    this.connection = connection;
    this.#socket = socket;
    this.#context = context;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    socket.on("error", () => socket.destroy());
    this.closed = new Promise((resolve) => {
      socket.on("close", () => {
        this.#caller?.end();
        resolve();
      });
    });
    socket.write(frameOf(Buffer.from(context.behaviour.protocol, "latin1")));
  }

  /** What the client answered in the handshake; undefined before. */
  get protocol(): string | undefined {
    return this.#protocol;
  }

  /** How the client is answered; undefined before its first call. */
  get dialect(): Dialect | undefined {
    return this.#caller?.style.dialect;
  }

  get label(): string {
    return this.#caller?.label ?? "";
  }

  /** The storage's name; undefined before `register`. */
  get storage(): string | undefined {
    return this.#caller?.hosted?.id;
  }

  get remotePort(): number | undefined {
    return this.#socket.remotePort;
  }

  close(): void {
    this.#socket.destroy();
  }

  sendOneWay(kind: "invalidation" | "one-way", method: string, args: readonly Value[], tid?: Tid): void {
    const caller = this.#caller;
    if (caller === undefined) return;
    const { codec, dialect } = caller.style;
    this.#send(
      { connection: this.connection, kind, method, tid },
      codec.encode(dialect, 0, 1, method, new PyTuple(args)),
    );
  }

  /** Tells of something that nobody committed here: as a fan-out server does, or a wrong one. */
  tellInvalidation(tid: Tid, oids: readonly Buffer[]): void {
    this.#caller?.tellInvalidation(tid, oids);
  }

  #receive(chunk: Buffer): void {
    try {
      this.#inbox.push(...this.#assembler.push(chunk));
      this.#pump();
    } catch (error) {
      // Whatever it is, only this client's connection ends.
      this.#refuse(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
    }
  }

  #pump(): void {
    while (!this.#paused && !this.#socket.destroyed) {
      const payload = this.#inbox.shift();
      if (payload === undefined) return;
      if (this.#codec === undefined) this.#handshake(payload);
      else this.#read(payload, this.#codec);
    }
  }

  #handshake(payload: Buffer): void {
    const { behaviour, storages } = this.#context;
    const name = payload.toString("latin1");
    if (name === RUOK) {
      const status = Object.fromEntries([...storages].map(([id, hosted]) => [id, hosted.status()]));
      this.#socket.end(frameOf(Buffer.from(JSON.stringify(status), "latin1")));
      return;
    }
    const protocol = protocolNamed(payload);
    if (protocol === undefined || protocol.family !== (behaviour.protocol === "Z4" ? "old" : "new")) {
      this.#refuse("bad handshake");
      return;
    }
    this.#protocol = name;
    this.#codec = codecFor(protocol.encoding);
  }

  #read(payload: Buffer, codec: Codec): void {
    const message = decodeMessage(codec, payload);
    if (message.method === ".reply") return;
    const caller = (this.#caller ??= this.#begin(codec, payload));
    const oneWay = message.flags === 1;
    const incoming = { connection: this.connection, method: message.method, oneWay };
    const hold = this.#context.gate.holderOfIncoming(incoming);
    if (hold === undefined) {
      this.#call(caller, message, oneWay);
      return;
    }
    this.#paused = true;
    hold.take(incoming, () => {
      if (this.#socket.destroyed) return;
      this.#paused = false;
      this.#call(caller, message, oneWay);
      this.#receive(Buffer.alloc(0));
    });
  }

  /** The first call shows how the client writes, and so what it reads. */
  #begin(codec: Codec, payload: Buffer): Caller {
    const { behaviour, storages } = this.#context;
    const family = behaviour.protocol === "Z4" ? "old" : "new";
    const dialect = codec.dialect(payload, family === "old") ?? (codec.encoding === "msgpack" ? "msgpack" : "pickle3");
    const style = { codec, dialect, family, protocol: this.#protocol ?? behaviour.protocol } as const;
    return new Caller(this, style, behaviour, storages);
  }

  #call(caller: Caller, message: Message, oneWay: boolean): void {
    const { family } = caller.style;
    const methods = methodsOf(family);
    const method = Object.hasOwn(methods, message.method) ? methods[message.method] : undefined;
    const early = family === "new" && caller.hosted === undefined && message.method !== "register";
    if (method === undefined || early) {
      this.#refuse(early ? "a call before register" : "an unknown method");
      return;
    }
    const answer: Answer = {
      reply: (value) => {
        if (!oneWay) this.#answer(caller, message, "reply", value);
      },
      fail: (fault) => this.#fail(caller, message, oneWay, fault),
    };
    try {
      const value = method(caller, new Arguments(message.args), answer);
      if (value !== undefined) answer.reply(value);
    } catch (error) {
      if (!(error instanceof StorageFault)) throw error;
      answer.fail(error.fault);
    }
  }

  #fail(caller: Caller, message: Message, oneWay: boolean, fault: Fault): void {
    if (!oneWay) {
      this.#answer(caller, message, "exception", exceptionReply(caller.style, fault));
      return;
    }
    const text = `${message.method} failed: ${new StorageFault(fault).message}`;
    if (caller.style.family === "new") this.#refuse(text);
    else this.#context.problem(this.connection, text);
  }

  #answer(caller: Caller, message: Message, kind: "reply" | "exception", value: Value): void {
    const { codec, dialect, family } = caller.style;
    const flags = kind === "exception" && family === "new" ? 2 : 0;
    const tid = message.method === "tpc_finish" ? tidOfReply(value) : NO_TID;
    const outgoing = {
      connection: this.connection,
      kind,
      method: message.method,
      tid: tid === NO_TID ? undefined : tid,
    };
    this.#send(outgoing, codec.encode(dialect, message.id, flags, ".reply", value));
  }

  #send(message: Outgoing, payload: Buffer): void {
    if (this.#blocked !== undefined) {
      this.#blocked.push({ message, payload });
      return;
    }
    const hold = this.#context.gate.holderOfOutgoing(message);
    if (hold === undefined) {
      this.#write(payload);
      return;
    }
    if (hold.scope === "connection") this.#blocked = [];
    hold.take(message, () => {
      const behind = hold.scope === "connection" ? this.#blocked : undefined;
      if (behind !== undefined) this.#blocked = undefined;
      this.#write(payload);
      for (const entry of behind ?? []) this.#send(entry.message, entry.payload);
    });
  }

  #write(payload: Buffer): void {
    if (!this.#socket.destroyed && this.#socket.writable) this.#socket.write(frameOf(payload));
  }

  /** Servers just close. */
  #refuse(text: string): void {
    this.#context.problem(this.connection, text);
    this.#socket.destroy();
  }
}
