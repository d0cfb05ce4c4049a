import { EventEmitter } from "node:events";
import { connect } from "node:net";
import type { Codec, Dialect } from "../wire/codec.ts";
import { codecFor } from "../wire/codecs.ts";
import { protocolNamed } from "../wire/handshake.ts";
import type { Protocol } from "../wire/handshake.ts";
import { readTid, tidBytes } from "../wire/ids.ts";
import type { Tid } from "../wire/ids.ts";
import { messageIdOf } from "../wire/message-id.ts";
import type { MessageId } from "../wire/codec.ts";
import { itemsOf, PyGlobal, PyTuple } from "../wire/value.ts";
import type { Value } from "../wire/value.ts";
import { ClientLink, type BeingConnected } from "./client-link.ts";
import { defaultDialect, hexes, told } from "./client-messages.ts";
import type { Received, ReceivedInvalidation } from "./client-messages.ts";
import { decodeMessage } from "./message.ts";
import { errorOf } from "./remote-error.ts";
import { tidOfReply } from "./reply-tid.ts";

export type { Received, ReceivedInvalidation } from "./client-messages.ts";

export interface EmbeddedClientOptions {
  /** Default `127.0.0.1`. */
  readonly host?: string;
  readonly port: number;
  /** Another way to the server than TCP to host and port. */
  readonly dial?: () => BeingConnected;
  /** What to answer in the handshake; default what the server announces. */
  readonly protocol?: string;
  /** How to write; default what a client of that protocol on Python 3 writes (before Z4: on Python 2). */
  readonly dialect?: Dialect;
  /** Default `1`. */
  readonly storage?: string;
  readonly readOnly?: boolean;
  /** False: stop after the handshake, nothing is called. */
  readonly register?: boolean;
  /** How long a call may take, default 5000. */
  readonly timeoutMs?: number;
}

interface PendingCall {
  readonly method: string;
  readonly resolve: (value: Value) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

interface ClientEvents {
  received: [Received];
  closed: [];
}

/**
 * A small ZEO client for tests and the demo. It speaks the real protocol, has no cache, and records what it is told in
 * the order in which it came. Transactions: see `ClientCommit`.
 */
export class EmbeddedClient extends EventEmitter<ClientEvents> {
  /** In order. */
  readonly received: Received[] = [];
  /** What `register` replied: new servers the last tid, old ones None. */
  registered: Value = null;
  #link: ClientLink | undefined;
  #protocol: Protocol | undefined;
  #announced = "";
  #codec: Codec = codecFor("pickle");
  #dialect: Dialect = "pickle3";
  #nextId = 1;
  #closed = false;
  readonly #timeoutMs: number;
  readonly #calls = new Map<MessageId, PendingCall>();

  private constructor(timeoutMs: number) {
    super();
    // A test may wait for many things at once.
    this.setMaxListeners(0);
    this.#timeoutMs = timeoutMs;
  }

  /** Connects, shakes hands, registers. Rejects when one of these fails or takes longer than `timeoutMs`. */
  static async connect(options: EmbeddedClientOptions): Promise<EmbeddedClient> {
    const timeoutMs = options.timeoutMs ?? 5000;
    const client = new EmbeddedClient(timeoutMs);
    try {
      await client.#open(options, timeoutMs);
      if (options.register !== false) {
        // ZEO <= 4 clients ask for the authentication protocol first.
        if (client.family === "old") await client.call("getAuthProtocol");
        await client.register(options.storage ?? "1", options.readOnly ?? false);
      }
    } catch (error) {
      client.destroy();
      throw error;
    }
    return client;
  }

  /** The server's greeting. */
  get announced(): string {
    return this.#announced;
  }

  get protocol(): Protocol {
    if (this.#protocol === undefined) throw new Error("no handshake yet");
    return this.#protocol;
  }

  get family(): "old" | "new" {
    return this.protocol.family;
  }

  get dialect(): Dialect {
    return this.#dialect;
  }

  get codec(): Codec {
    return this.#codec;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Calls sent and not answered. */
  get unanswered(): number {
    return this.#calls.size;
  }

  get invalidations(): readonly ReceivedInvalidation[] {
    return this.received.filter((entry) => entry.type === "invalidation");
  }

  async register(storage: string, readOnly: boolean): Promise<Value> {
    this.registered = await this.call("register", this.text(storage), readOnly);
    return this.registered;
  }

  /** Calls and waits. Rejects with a `RemoteError` for an exception, an Error for a closed connection or no answer. */
  call(method: string, ...args: readonly Value[]): Promise<Value> {
    const id = this.#nextId;
    this.#nextId += 1;
    return this.callWithId(id, method, ...args);
  }

  /** The same with an id of one's own: a tuple, for example, as ZEO 5 has it for `loadBefore`. */
  callWithId(id: Value, method: string, ...args: readonly Value[]): Promise<Value> {
    const key = messageIdOf(id);
    if (key === undefined) throw new Error("not a message id");
    if (this.#closed) return Promise.reject(new Error(`${method}: the connection is closed`));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#calls.delete(key);
        reject(new Error(`${method}: no answer in ${this.#timeoutMs} ms`));
      }, this.#timeoutMs);
      this.#calls.set(key, { method, resolve, reject, timer });
      this.sendPayload(this.#codec.encode(this.#dialect, id, 0, method, new PyTuple(args)));
    });
  }

  /** A one-way call. */
  send(method: string, ...args: readonly Value[]): void {
    this.sendPayload(this.#codec.encode(this.#dialect, 0, 1, method, new PyTuple(args)));
  }

  /** A payload as it is. */
  sendPayload(payload: Buffer): void {
    this.#link?.send(payload);
  }

  /** Bytes as they are, without a length. */
  sendRaw(bytes: Buffer): void {
    this.#link?.sendRaw(bytes);
  }

  /** Text as this client's Python has it. */
  text(text: string): Value {
    return this.#dialect.endsWith("py2") || this.#dialect.startsWith("pickle1") ? Buffer.from(text, "utf8") : text;
  }

  async lastTransaction(): Promise<Tid> {
    return tidOfReply(await this.call("lastTransaction"));
  }

  /** Oids in hex. */
  async newOids(count = 100): Promise<string[]> {
    return hexes(await this.call("new_oids", count));
  }

  /** Undefined when the object is younger than `before`. Rejects with a POSKeyError where there is none. */
  async loadBefore(oid: string, before: Tid): Promise<{ data: Buffer; serial: Tid; end: Tid | undefined } | undefined> {
    const key = Buffer.from(oid, "hex");
    const items = itemsOf(await this.call("loadBefore", key, tidBytes(before)));
    const [data, serial, end] = items ?? [];
    if (!Buffer.isBuffer(data) || !Buffer.isBuffer(serial)) return undefined;
    return { data, serial: readTid(serial), end: Buffer.isBuffer(end) ? readTid(end) : undefined };
  }

  /** Undefined: too long ago. */
  async getInvalidations(since: Tid): Promise<{ tid: Tid; oids: string[] } | undefined> {
    const items = itemsOf(await this.call("getInvalidations", tidBytes(since)));
    if (items === undefined) return undefined;
    return { tid: tidOfReply(items[0] ?? null), oids: hexes(items[1] ?? null) };
  }

  /** The invalidation of `tid`, which may have come already. Rejects when it does not come. */
  async invalidation(tid: Tid, timeoutMs = this.#timeoutMs): Promise<ReceivedInvalidation> {
    const found = await this.until((entry) => entry.type === "invalidation" && entry.tid === tid, timeoutMs);
    return found as ReceivedInvalidation;
  }

  /** The first message that matches, which may have come already. Rejects when it does not come. */
  until(matches: (entry: Received) => boolean, timeoutMs = this.#timeoutMs): Promise<Received> {
    const found = this.received.find(matches);
    if (found !== undefined) return Promise.resolve(found);
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        clearTimeout(timer);
        this.off("received", look);
        this.off("closed", gone);
      };
      const look = (entry: Received): void => {
        if (!matches(entry)) return;
        finish();
        resolve(entry);
      };
      const gone = (): void => {
        finish();
        reject(new Error("the connection was closed before the message came"));
      };
      const timer = setTimeout(() => {
        finish();
        reject(new Error(`the message did not come in ${timeoutMs} ms`));
      }, timeoutMs);
      this.on("received", look);
      this.once("closed", gone);
      if (this.#closed) gone();
    });
  }

  /** Stops and resumes reading. */
  pause(): void {
    this.#link?.pause();
  }

  resume(): void {
    this.#link?.resume();
  }

  /** Half-closes. */
  end(): void {
    this.#link?.end();
  }

  destroy(): void {
    this.#link?.destroy();
  }

  reset(): void {
    this.#link?.reset();
  }

  /** Destroys the connection and waits until it is gone. */
  async close(): Promise<void> {
    this.destroy();
    await this.#link?.closed;
  }

  /** Resolves when the other side has closed; rejects after `timeoutMs`. */
  whenClosed(timeoutMs = this.#timeoutMs): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const gone = (): void => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        this.off("closed", gone);
        reject(new Error(`not closed in ${timeoutMs} ms`));
      }, timeoutMs);
      this.once("closed", gone);
    });
  }

  async #open(options: EmbeddedClientOptions, timeoutMs: number): Promise<void> {
    let greeted: ((payload: Buffer) => void) | undefined;
    const greeting = new Promise<Buffer>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no greeting in ${timeoutMs} ms`)), timeoutMs);
      greeted = (payload) => {
        clearTimeout(timer);
        resolve(payload);
      };
      this.once("closed", () => {
        clearTimeout(timer);
        reject(new Error("closed before the greeting"));
      });
    });
    // The rejection is looked at below; a failed `open` must not leave it unhandled.
    greeting.catch(() => undefined);
    const received = (payload: Buffer): void => {
      if (this.#protocol === undefined && greeted !== undefined) {
        greeted(payload);
        greeted = undefined;
      } else this.#receive(payload);
    };
    const { host = "127.0.0.1", port } = options;
    const dial = options.dial ?? (() => ({ socket: connect({ host, port }), ready: "connect" }) as const);
    this.#link = await ClientLink.open(dial, `${host}:${port}`, timeoutMs, received, () => this.#gone());
    this.#announced = (await greeting).toString("latin1");
    const name = options.protocol ?? this.#announced;
    const protocol = protocolNamed(Buffer.from(name, "latin1"));
    if (protocol === undefined) throw new Error("the server announced an unknown protocol");
    this.#protocol = protocol;
    this.#codec = codecFor(protocol.encoding);
    this.#dialect = options.dialect ?? defaultDialect(protocol);
    this.sendPayload(Buffer.from(name, "latin1"));
  }

  #receive(payload: Buffer): void {
    const message = decodeMessage(this.#codec, payload);
    const entry =
      message.method === ".reply" ? this.#answered(message.id, message.flags, message.value) : told(message);
    this.received.push(entry);
    this.emit("received", entry);
  }

  #answered(id: Value, flags: number, value: Value): Received {
    const key = messageIdOf(id) ?? "?";
    const pending = this.#calls.get(key);
    this.#calls.delete(key);
    const method = pending?.method ?? "?";
    clearTimeout(pending?.timer);
    if (flags === 2 || (this.family === "old" && itemsOf(value)?.[0] instanceof PyGlobal)) {
      const error = errorOf(value, method);
      pending?.reject(error);
      return { type: "exception", id: key, method, error };
    }
    pending?.resolve(value);
    return { type: "reply", id: key, method, value };
  }

  #gone(): void {
    this.#closed = true;
    for (const [key, { method, reject, timer }] of this.#calls) {
      clearTimeout(timer);
      this.#calls.delete(key);
      reject(new Error(`${method}: the connection was closed`));
    }
    this.emit("closed");
  }
}
