import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { FrameAssembler, frameOf } from "../../src/embedded/framing.ts";
import { MemoryStorage } from "../../src/embedded/memory-storage.ts";
import { decodeMessage } from "../../src/embedded/message.ts";
import type { Message } from "../../src/embedded/message.ts";
import type { PendingTransaction } from "../../src/embedded/pending-transaction.ts";
import { EmbeddedServer } from "../../src/embedded/server.ts";
import type { EmbeddedServerOptions } from "../../src/embedded/server.ts";
import { readTid } from "../../src/wire/ids.ts";
import type { Tid } from "../../src/wire/ids.ts";
import { messageIdOf } from "../../src/wire/message-id.ts";
import { itemsOf } from "../../src/wire/value.ts";
import { readCapture } from "../wire/captured.ts";
import type { CapturedFrame } from "../wire/captured.ts";

/**
 * What recorded clients sent is sent again, each frame after all that the recorded server wrote before it; the embedded
 * server must write the same bytes on every connection, in the same order. The recordings are of FileStorage, so
 * what tells of a file (its size, its name) is left out; they are followed until a second client writes: that is a
 * conflict which those servers resolve.
 */

const PATIENCE_MS = 3000;
const OF_A_FILE = new Set(["get_info", "info", "undoInfo"]);

/** Gives each vote the tid that the recorded server gave it. */
class RecordedStorage extends MemoryStorage {
  readonly #tids: (Tid | undefined)[];

  constructor(tids: readonly (Tid | undefined)[]) {
    super();
    this.#tids = [...tids];
  }

  override begin(info: Parameters<MemoryStorage["begin"]>[0], tid?: Tid): PendingTransaction {
    const recorded = this.#tids.shift();
    return super.begin(info, tid ?? recorded);
  }
}

interface Entry {
  readonly frame: CapturedFrame;
  readonly message: Message | undefined;
}

const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function recording(file: string): Entry[] {
  const entries = readCapture(file).map((frame) => ({
    frame,
    message: frame.codec === undefined || frame.more > 0 ? undefined : decodeMessage(frame.codec, frame.payload),
  }));
  const begins = (entry: Entry): boolean => entry.message?.method === "tpc_begin";
  const writer = entries.find(begins)?.frame.conn;
  const end = entries.findIndex((entry) => begins(entry) && entry.frame.conn !== writer);
  return end < 0 ? entries : entries.slice(0, end);
}

/** For each vote the tid that it got: as `tpc_finish` replied it, else as `serialnos` showed it. */
function tidsOfVotes(entries: readonly Entry[]): (Tid | undefined)[] {
  return entries.flatMap(({ frame, message }, at) => {
    if (frame.dir !== "c>s" || message?.method !== "vote") return [];
    let shown: Tid | undefined;
    let finish: Message | undefined;
    for (const later of entries.slice(at + 1)) {
      if (later.frame.conn !== frame.conn || later.message === undefined) continue;
      const { method, id, args, value } = later.message;
      if (later.frame.dir === "c>s" && method === "tpc_begin") break;
      if (later.frame.dir === "c>s" && method === "tpc_finish") finish = later.message;
      if (method === "serialnos") shown ??= serialIn(itemsOf(args[0] ?? null)?.[0]);
      if (later.frame.dir === "s>c" && finish !== undefined && finish.id === id && Buffer.isBuffer(value))
        return [readTid(value)];
    }
    return [shown];
  });
}

function serialIn(pair: unknown): Tid | undefined {
  const serial = itemsOf((pair ?? null) as never)?.[1];
  return Buffer.isBuffer(serial) && serial.length === 8 ? readTid(serial) : undefined;
}

/** One recorded connection, dialled anew. */
class Dialled {
  readonly received: Buffer[] = [];
  readonly #socket: Socket;

  constructor(port: number) {
    const assembler = new FrameAssembler(1 << 24);
    this.#socket = connect(port, "127.0.0.1").on("error", () => undefined);
    this.#socket.on("data", (chunk: Buffer) =>
      this.received.push(...assembler.push(chunk).map((payload) => Buffer.from(payload))),
    );
    closers.push(() => this.#socket.destroy());
  }

  send(payload: Buffer): void {
    this.#socket.write(frameOf(payload));
  }

  /** False when so many messages do not come. */
  async has(count: number): Promise<boolean> {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    while (this.received.length < count) {
      try {
        await once(this.#socket, "data", { signal });
      } catch {
        return false;
      }
    }
    return true;
  }
}

async function replay(entries: readonly Entry[], options: EmbeddedServerOptions): Promise<Map<number, Dialled>> {
  const server = new EmbeddedServer({ ...options, storages: { "1": new RecordedStorage(tidsOfVotes(entries)) } });
  await server.start();
  closers.push(() => server.close());
  const connections = new Map<number, Dialled>();
  const written = new Map<number, number>();
  for (const { frame } of entries) {
    const { conn, dir, payload } = frame;
    let dialled = connections.get(conn);
    if (dialled === undefined) {
      dialled = new Dialled(server.port);
      connections.set(conn, dialled);
    }
    if (dir === "s>c") {
      written.set(conn, (written.get(conn) ?? 0) + 1);
      if (!(await dialled.has(written.get(conn) ?? 0))) break;
    } else dialled.send(payload);
  }
  return connections;
}

function callKey({ conn }: CapturedFrame, { id }: Message): string {
  return `${conn} ${messageIdOf(id)}`;
}

function isComparable({ frame, message }: Entry, calls: ReadonlyMap<string, string>): boolean {
  if (frame.more > 0) return false;
  if (message === undefined) return true;
  const method = message.method === ".reply" ? calls.get(callKey(frame, message)) : message.method;
  return method === undefined || !OF_A_FILE.has(method);
}

describe("the embedded server writes what the recorded one wrote, byte for byte", () => {
  const patched = { omitCreated: false };
  it.each<[string, string, EmbeddedServerOptions, number]>([
    ["ZEO 4.3.1 on Python 2.7", "z4py27-z4py27", { protocol: "Z4" }, 66],
    ["ZEO 4.3.1 on Python 3.6", "z4py35-z4py35", { protocol: "Z4" }, 66],
    ["ZEO 5.2.1 on Python 2.7", "z521py27-z521py27", { protocol: "Z5" }, 52],
    ["ZEO 5.2.1 on Python 2.7, msgpack", "M-z521py27-z521py27", { protocol: "M5" }, 52],
    ["ZEO 5.2.1 on Python 3.7", "z521py37-z521py37", { protocol: "Z5" }, 52],
    ["ZEO 5.2.2 on Python 3.8", "z522py38-z522py38", { protocol: "Z5", ...patched }, 40],
    ["ZEO 5.3.0 on Python 3.9", "z53py39-z53py39", { protocol: "Z5", ...patched }, 40],
    ["ZEO 6.2 on Python 3.12", "z6py312-z6py312", { protocol: "Z5", ...patched }, 52],
    ["ZEO 6.2 on Python 3.12, msgpack", "M-z6py312-z6py312", { protocol: "M5", ...patched }, 52],
  ])("%s", async (_server, file, options, least) => {
    const entries = recording(file);
    const connections = await replay(entries, options);
    const calls = new Map(
      entries.flatMap(({ frame, message }) =>
        frame.dir === "c>s" && message !== undefined ? [[callKey(frame, message), message.method] as const] : [],
      ),
    );
    let compared = 0;
    for (const [conn, { received }] of connections) {
      const theirs = entries.filter(({ frame }) => frame.conn === conn && frame.dir === "s>c");
      const [ours, recorded] = [received, theirs.map(({ frame }) => frame.payload)].map((payloads) =>
        payloads.filter((_payload, at) => theirs[at] === undefined || isComparable(theirs[at], calls)),
      ) as [Buffer[], Buffer[]];
      expect(ours.map((payload) => payload.toString("latin1"))).toEqual(
        recorded.map((payload) => payload.toString("latin1")),
      );
      compared += recorded.length;
    }
    expect(compared).toBeGreaterThanOrEqual(least);
  });
});
