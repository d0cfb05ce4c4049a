import type { Range, RangeRead, StorageWitness, UnableReason } from "../../src/storage/witness.ts";
import type { Dialect, InvalidationArgs } from "../../src/wire/codec.ts";
import { framed } from "../../src/wire/frame.ts";
import { asTid, readTid, type Tid, tidBytes } from "../../src/wire/ids.ts";
import { pickleCodec } from "../../src/wire/pickle-codec.ts";
import { readPickle } from "../../src/wire/pickle/reader.ts";
import type { ReplyHead } from "../../src/wire/pickle/reply-head.ts";
import { itemsOf, PyGlobal, PyObject, PyTuple, textOf, type Value } from "../../src/wire/value.ts";
import { Witness, type WitnessOptions } from "../../src/witness/witness.ts";
import type { PlayedConnection } from "../session/played-connection.ts";
import { MovedClock } from "../storage/moved-clock.ts";
import { PlayedTransport } from "../upstream/played-transport.ts";
import { Iterators, type Stocked } from "./iterators.ts";

/** Who a server is: what it greets with, and how it writes. */
export interface Kind {
  readonly greeting: string;
  readonly dialect: Dialect;
}

export const OLD: Kind = { greeting: "Z3101", dialect: "pickle1" };
export const OLD_PY3: Kind = { greeting: "Z4", dialect: "pickle3-zeo4" };
export const NEW: Kind = { greeting: "Z5", dialect: "pickle3" };
export const NEW_PY2: Kind = { greeting: "Z5", dialect: "pickle1-zeo5" };
export const MSGPACK: Kind = { greeting: "M5", dialect: "pickle3" };

export interface Call {
  readonly id: Value;
  readonly flags: Value;
  readonly method: string;
  readonly args: readonly Value[];
}

/** A server that a test plays, over one connection: it answers when the test says so. */
export class ScriptedServer {
  readonly connection: PlayedConnection;
  readonly kind: Kind;
  readonly iterators: Iterators;
  readonly calls: Call[] = [];
  /** Instead of what it would answer. */
  answer: (call: Call) => ReplyHead | Value | undefined = () => undefined;
  /** How its bytes come. */
  cut = (bytes: Buffer): Buffer[] => [bytes];

  constructor(connection: PlayedConnection, kind: Kind, stock: readonly Stocked[]) {
    this.connection = connection;
    this.kind = kind;
    this.iterators = new Iterators(stock);
  }

  get isOld(): boolean {
    return this.kind.dialect === "pickle1" || this.kind.dialect === "pickle3-zeo4";
  }

  greets(): void {
    this.says(framed(Buffer.from(this.kind.greeting)));
  }

  says(bytes: Buffer): void {
    for (const part of this.cut(bytes)) if (!this.connection.hasEnded) this.connection.reads(part);
  }

  tells(method: string, ...args: readonly Value[]): void {
    this.says(framed(pickleCodec.encode(this.kind.dialect, 0, 1, method, new PyTuple(args))));
  }

  invalidates(tid: Tid, ...oids: readonly bigint[]): void {
    this.tells(
      "invalidateTransaction",
      tidBytes(tid),
      oids.map((oid) => tidBytes(oid as Tid)),
    );
  }

  /** What has been written to it since, read as calls. */
  taken(): Call[] {
    const calls: Call[] = [];
    for (const payload of this.connection.frames()) {
      if (payload.length <= 5) continue;
      const items = itemsOf(readPickle(payload)) ?? [];
      const [id = null, flags = null, method = null, args = null] = items;
      calls.push({ id, flags, method: textOf(method) ?? "", args: itemsOf(args) ?? [] });
    }
    this.calls.push(...calls);
    return calls;
  }

  /** Answers what has been written, all of it in one piece, and says whether there was anything. */
  answers(): boolean {
    const calls = this.taken();
    const replies = calls.filter(({ flags }) => flags === false).map((call) => this.reply(call));
    for (const { method, args } of calls) {
      if (method === "iterator_gc") this.iterators.gc((itemsOf(args[0] ?? null) ?? []).map(Number));
    }
    if (replies.length > 0) this.says(Buffer.concat(replies));
    return replies.length > 0;
  }

  /** Until nothing more is called. */
  serves(): void {
    while (!this.connection.hasEnded && this.answers());
  }

  reply(call: Call): Buffer {
    const given = this.answer(call);
    const value = given === undefined ? this.#answer(call) : given;
    const isHead = value !== null && typeof value === "object" && "kind" in value;
    const reply = isHead ? this.#valueOf(value, call.method) : value;
    const flags = isHead && value.kind === "exception" && !this.isOld ? 2 : 0;
    return framed(pickleCodec.encode(this.kind.dialect, call.id, flags, ".reply", reply));
  }

  #answer({ method, args }: Call): ReplyHead {
    if (method === "getAuthProtocol" || (method === "register" && this.isOld)) return { kind: "none" };
    if (method === "register") return this.iterators.call("lastTransaction", []);
    const plain = args.map((arg) => (Buffer.isBuffer(arg) ? readTid(arg) : Number(arg)));
    return this.iterators.call(method, plain);
  }

  #valueOf(head: ReplyHead, method: string): Value {
    switch (head.kind) {
      case "none":
        return null;
      case "integer":
        return head.value;
      case "id":
        return head.id;
      case "items":
        return method === "iterator_next"
          ? new PyTuple([head.id, this.#text(" "), Buffer.from("user"), Buffer.alloc(0), EXTENSION])
          : new PyTuple([head.id, Buffer.alloc(8, 1), Buffer.from("data"), null]);
      case "exception": {
        const [module = "", name = ""] = head.name.split(".");
        if (!this.isOld) return new PyTuple([this.#text(head.name), new PyTuple([this.#text("so")])]);
        const type = new PyGlobal(module, name);
        return new PyTuple([type, new PyObject(type, new PyTuple([Buffer.from("so")]))]);
      }
      default:
        return this.#text("something");
    }
  }

  #text(text: string): Value {
    return this.kind.dialect.startsWith("pickle1") ? Buffer.from(text) : text;
  }
}

/** What must never be looked at. */
const EXTENSION = new Map<Value, Value>([
  [Buffer.from("x"), new PyObject(new PyGlobal("os", "system"), new PyTuple([Buffer.from("true")]))],
]);

/** A witness whose transport and clock the test plays, and what it tells: each a word and what belongs to it. */
export class Scene {
  readonly clock = new MovedClock();
  readonly transport = new PlayedTransport();
  readonly tellings: unknown[] = [];
  readonly thrown: unknown[] = [];
  readonly witness: StorageWitness;
  /** What it does when it is told something. */
  react: (word: string) => void = () => undefined;
  readonly #kind: Kind;
  stock: readonly Stocked[];

  constructor(
    kind: Kind = NEW,
    stock: readonly Stocked[] = [],
    options: Partial<WitnessOptions> = {},
    make = (all: WitnessOptions): StorageWitness => new Witness(all),
  ) {
    this.#kind = kind;
    this.stock = stock;
    const tell = (...telling: readonly unknown[]): void => {
      this.tellings.push(telling);
      this.react(telling[0] as string);
    };
    this.witness = make({
      server: { host: "server", port: 8100 },
      storage: "1",
      dialling: { transport: this.transport, clock: this.clock, timeoutMs: 10_000 },
      told: {
        up: (last: Tid) => tell("up", last),
        told: ({ tid, oids }: InvalidationArgs) => tell("told", tid, oids.toString("hex")),
        down: (reason: string) => tell("down", reason),
        unable: (reason: UnableReason) => tell("unable", reason),
      },
      threw: (error) => this.thrown.push(error),
      ...options,
    });
  }

  /** The server accepts. */
  connects(): ScriptedServer {
    return new ScriptedServer(this.transport.dialling.connects(), this.#kind, this.stock);
  }

  /** All up to `up`. */
  enters(): ScriptedServer {
    const server = this.connects();
    server.greets();
    server.serves();
    return server;
  }

  /** What has been told since. */
  told(): unknown[] {
    return this.tellings.splice(0);
  }

  /** `done` is told `read` and what became of it: of each transaction its tid and how many oids. */
  reads(range: Range, isSkipped: (tid: Tid) => boolean = () => false): void {
    this.witness.read(range, isSkipped, (read: RangeRead) => {
      const shown = read.kind === "read" ? read.found.map(({ tid, oids }) => [tid, oids.length / 8]) : read;
      this.tellings.push(["read", shown]);
      this.react("read");
    });
  }
}

export const tid = (n: number): Tid => asTid(BigInt(n));

/** Transactions 10, 20, ... of two records each. */
export const stock = (count: number): Stocked[] =>
  Array.from({ length: count }, (_, n) => [tid((n + 1) * 10), BigInt(n), BigInt(n + 1)]);
