import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import type { Codec, Dialect, Envelope } from "../../src/wire/codec.ts";
import { PyTuple, type Value } from "../../src/wire/value.ts";
import { pickleCodec } from "../../src/wire/pickle-codec.ts";

const WAIT_MS = 5_000;

/** A length before a payload. */
export function frameOf(payload: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(payload.length);
  return Buffer.concat([length, payload]);
}

export interface Message {
  readonly envelope: Envelope;
  readonly payload: Buffer;
}

/** One end of a TCP connection, driven byte for byte or frame for frame: a client or a server that a test plays. */
export class Peer {
  readonly socket: Socket;
  readonly codec: Codec;
  readonly dialect: Dialect;
  /** The other side has closed its half. */
  ended = false;
  #bytes: Buffer = Buffer.alloc(0);
  #chunks: Buffer[] = [];
  readonly #watchers = new Set<() => void>();

  constructor(socket: Socket, codec: Codec = pickleCodec, dialect: Dialect = "pickle3") {
    this.socket = socket;
    this.codec = codec;
    this.dialect = dialect;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#changed();
    });
    socket.on("end", () => {
      this.ended = true;
      this.#changed();
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#changed());
    onTestFinished(() => void socket.destroy());
  }

  static async connect(port: number, codec?: Codec, dialect?: Dialect): Promise<Peer> {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    await once(socket, "connect");
    return new Peer(socket, codec, dialect);
  }

  /** Everything that has come and was not taken. */
  get waiting(): Buffer {
    if (this.#chunks.length > 0) {
      this.#bytes = Buffer.concat([this.#bytes, ...this.#chunks]);
      this.#chunks = [];
    }
    return this.#bytes;
  }

  async take(count: number): Promise<Buffer> {
    await this.#until(() => this.waiting.length >= count, `${count} bytes`);
    const taken = this.waiting.subarray(0, count);
    this.#bytes = this.waiting.subarray(count);
    return taken;
  }

  /** The next frame's payload. */
  async frame(): Promise<Buffer> {
    const length = (await this.take(4)).readUInt32BE(0);
    return this.take(length);
  }

  async message(): Promise<Message> {
    const payload = await this.frame();
    const envelope = this.codec.peek(payload);
    if (envelope === undefined) throw new Error("no message");
    return { envelope, payload };
  }

  /** The next message of this method; others before it are an error. */
  async expect(method: string): Promise<Message> {
    const message = await this.message();
    if (message.envelope.method !== method) throw new Error(`expected ${method}, got ${message.envelope.method}`);
    return message;
  }

  /** Until the other side has closed its half, or all. */
  async end(): Promise<void> {
    await this.#until(() => this.#isOver, "its end", true);
  }

  write(bytes: Buffer): void {
    this.socket.write(bytes);
  }

  send(payload: Buffer): void {
    this.write(frameOf(payload));
  }

  encode(id: Value, flags: number, method: string, ...args: Value[]): Buffer {
    return this.codec.encode(this.dialect, id, flags, method, new PyTuple(args));
  }

  call(id: Value, method: string, ...args: Value[]): void {
    this.send(this.encode(id, 0, method, ...args));
  }

  tell(method: string, ...args: Value[]): void {
    this.send(this.encode(0, 1, method, ...args));
  }

  reply(id: Value, value: Value): void {
    this.send(this.codec.encode(this.dialect, id, 0, ".reply", value));
  }

  get #isOver(): boolean {
    return this.ended || this.socket.closed;
  }

  async #until(ready: () => boolean, what: string, toTheEnd = false): Promise<void> {
    const waiting = new Promise<void>((resolve, reject) => {
      const look = (): void => {
        if (!ready() && (toTheEnd || !this.#isOver)) return;
        this.#watchers.delete(look);
        if (ready()) resolve();
        else reject(new Error(`the connection ended before ${what}`));
      };
      this.#watchers.add(look);
      look();
    });
    await within(waiting, what);
  }

  #changed(): void {
    for (const look of this.#watchers) look();
  }
}

export interface ScriptOptions {
  readonly codec?: Codec;
  readonly dialect?: Dialect;
  readonly port?: number;
  /** What every connection is greeted with; undefined: with nothing. Default `Z5`. */
  readonly greeting?: string | undefined;
}

/** A server that a test plays: it greets, and leaves the rest to the test. */
export class ScriptedServer {
  readonly #server: Server;
  readonly #accepted: Peer[] = [];
  #waiter: (() => void) | undefined;
  port = 0;
  /** What the next connections are greeted with; undefined: with nothing. */
  greeting: string | undefined;

  private constructor(options: ScriptOptions) {
    this.greeting = "greeting" in options ? options.greeting : "Z5";
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      const peer = new Peer(socket, options.codec, options.dialect);
      this.#accepted.push(peer);
      if (this.greeting !== undefined) peer.send(Buffer.from(this.greeting, "latin1"));
      this.#waiter?.();
    });
  }

  static async start(options: ScriptOptions = {}): Promise<ScriptedServer> {
    const server = new ScriptedServer(options);
    server.#server.listen(options.port ?? 0, "127.0.0.1");
    await once(server.#server, "listening");
    server.port = (server.#server.address() as AddressInfo).port;
    onTestFinished(() => void server.#server.close());
    return server;
  }

  /** The next connection that was not taken yet. */
  async accept(): Promise<Peer> {
    for (;;) {
      const peer = this.#accepted.shift();
      if (peer !== undefined) return peer;
      await within(new Promise<void>((resolve) => (this.#waiter = resolve)), "no connection");
    }
  }

  /** Forgets the connections so far: the proxy looks whether the server answers before it listens. */
  forget(): void {
    this.#accepted.length = 0;
  }

  close(): void {
    this.#server.close();
  }

  /** Listens again. */
  async reopen(port: number): Promise<void> {
    this.#server.listen(port, "127.0.0.1");
    await once(this.#server, "listening");
  }
}

/** Rejects when it takes longer. */
export async function within<T>(promise: Promise<T>, what: string, ms = WAIT_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`in ${ms} ms: ${what}`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
