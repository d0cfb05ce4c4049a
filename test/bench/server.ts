import { createServer, type AddressInfo, type Socket } from "node:net";
import { answerParent } from "./answers.ts";
import { SLOW_STORAGE } from "./scenarios/measured.ts";
import { writeAll } from "./wire/flow.ts";
import { Frames } from "./wire/frames.ts";
import * as z5 from "./wire/z5.ts";

/**
 * A stand-in for an unpatched ZEO 5 server: no storage, no transactions, as fast as can be. An object's oid is its
 * size in bytes. A commit's `invalidateTransaction` names the modified objects only and goes to everyone else, as ZEO
 * before 5.2.2 has it.
 */

export type ServerAsks = {
  readonly port: { readonly ask: undefined; readonly answer: number };
};

/** A file system's time for a commit, in the storage that takes some. */
const FINISH_MS = 3;
const BLOB_CHUNK = 59_000; // ZEO/StorageServer.py: sendBlob
const SERIAL = z5.eight(1);
const LOAD_TAIL = z5.tuple(z5.bytes(SERIAL), z5.NONE).subarray(0, -1);
const REPLY = ".reply";

let lastTid = 1_000;
const connections = new Set<Connection>();
const objects = new Map<number, Buffer>();

/** The bytes of an object that has so many. */
function object(size: number): Buffer {
  let data = objects.get(size);
  if (data === undefined) objects.set(size, (data = Buffer.alloc(size, "x")));
  return data;
}

class Connection {
  readonly #socket: Socket;
  #greeted = false;
  #storage: string | undefined;
  #modified: Buffer[] = [];

  constructor(socket: Socket) {
    this.#socket = socket;
    const frames = new Frames((head) => this.#frame(head));
    socket.on("data", (chunk) => frames.push(chunk));
    socket.on("close", () => connections.delete(this));
    socket.on("error", () => socket.destroy());
    socket.write(z5.framed(Buffer.from("Z5")));
  }

  write(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  #frame(payload: Buffer): void {
    if (!this.#greeted) {
      this.#greeted = true;
      return;
    }
    const head = z5.readHead(payload);
    switch (head.method) {
      case "loadBefore":
        this.#load(Buffer.from(head.id), payload.readUInt32BE(head.argsAt + 6));
        return;
      case "storea":
        // `( C 8 oid C 8 serial`: a serial of zeros means created.
        if (payload.readUInt32BE(head.argsAt + 17) !== 0) {
          this.#modified.push(Buffer.from(payload.subarray(head.argsAt + 1, head.argsAt + 11)));
        }
        return;
      case "register":
        this.#storage = payload.toString(
          "latin1",
          head.argsAt + 5,
          head.argsAt + 5 + payload.readUInt32LE(head.argsAt + 1),
        );
        connections.add(this);
        this.#reply(head.id, z5.bytes(z5.eight(lastTid)));
        return;
      case "lastTransaction":
        this.#reply(head.id, z5.bytes(z5.eight(lastTid)));
        return;
      case "vote":
        this.#reply(head.id, z5.list([]));
        return;
      case "tpc_finish":
        this.#finish(Buffer.from(head.id));
        return;
      case "tpc_abort":
        this.#modified = [];
        return;
      case "sendBlob":
        void this.#sendBlob(Buffer.from(head.id), payload.readUInt32BE(head.argsAt + 6));
        return;
      default: // one-way: `tpc_begin`, `storeBlobStart`, ...
    }
  }

  #reply(id: Buffer, value: Buffer): void {
    this.write(z5.call(id, REPLY, value));
  }

  #load(id: Buffer, size: number): void {
    const { head, tail } = z5.around(z5.start(id, false, REPLY), Buffer.alloc(0), size, LOAD_TAIL);
    if (size > 0x1_0000) void writeAll(this.#socket, [head, ...pieces(size), tail]);
    else this.write(Buffer.concat([head, object(size), tail]));
  }

  #finish(id: Buffer): void {
    const modified = this.#modified;
    this.#modified = [];
    const commit = (): void => {
      const tid = z5.bytes(z5.eight(++lastTid));
      this.#reply(id, tid);
      const message = z5.oneWay("invalidateTransaction", z5.tuple(tid, z5.list(modified)));
      for (const other of connections) if (other !== this && other.#storage === this.#storage) other.write(message);
    };
    if (this.#storage === SLOW_STORAGE) setTimeout(commit, FINISH_MS);
    else commit();
  }

  async #sendBlob(id: Buffer, size: number): Promise<void> {
    const oid = z5.bytes(z5.eight(size));
    const serial = z5.bytes(SERIAL);
    const chunks: Buffer[] = [];
    const chunk = z5.oneWay("receiveBlobChunk", z5.tuple(oid, serial, z5.bytes(object(BLOB_CHUNK))));
    for (let sent = 0; sent < size; sent += BLOB_CHUNK) chunks.push(chunk);
    await writeAll(this.#socket, [
      z5.oneWay("receiveBlobStart", z5.tuple(oid, serial)),
      ...chunks,
      z5.oneWay("receiveBlobStop", z5.tuple(oid, serial)),
    ]);
    this.#reply(id, z5.NONE);
  }
}

/** So many bytes, in pieces that share their memory. */
function* pieces(size: number): Iterable<Buffer> {
  const piece = object(0x10_0000);
  for (let left = size; left > 0; left -= piece.length) yield left < piece.length ? piece.subarray(0, left) : piece;
}

const server = createServer({ noDelay: true }, (socket) => new Connection(socket));
const listening = new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

answerParent<ServerAsks>({
  port: async () => {
    await listening;
    return (server.address() as AddressInfo).port;
  },
});
