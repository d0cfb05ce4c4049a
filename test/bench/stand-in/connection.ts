import type { Socket } from "node:net";
import { writeAll } from "../wire/flow.ts";
import { Frames } from "../wire/frames.ts";
import { readHead } from "../wire/head.ts";
import * as z5 from "../wire/z5.ts";
import { aroundLoad, ID_AT, object, pieces, REPLY, wholeLoad } from "./objects.ts";
import { Iterators } from "./iterators.ts";
import { Replies } from "./replies.ts";
import { serialnos } from "./serials.ts";
import type { Member, StandInStorage } from "./storage.ts";
import { StoredOids } from "./transaction.ts";

/** Replies above this size go out as they are, not gathered. */
const GATHERED_BYTES = 0x1_0000;
/** Those above this one are written no faster than they are taken. */
const CORKED_BYTES = 0x40_0000;
const BLOB_CHUNK = 0x1_0000;
const SERIAL = z5.bytes(z5.eight(1));
const NO_ID = Buffer.alloc(0);

/** One client's connection. An object's oid is its size in bytes. */
export class StandInConnection implements Member {
  readonly #socket: Socket;
  readonly #storage: StandInStorage;
  readonly #replies: Replies;
  readonly #stored: StoredOids;
  readonly #iterators: Iterators | undefined;
  #greeted = false;
  #voteId: Buffer = NO_ID;

  constructor(socket: Socket, storage: StandInStorage) {
    this.#socket = socket;
    this.#storage = storage;
    this.#replies = new Replies(socket);
    const { isPatched, isOld, isIterable } = storage.traits;
    this.#stored = new StoredOids(isPatched, isOld || isIterable);
    if (storage.history !== undefined) this.#iterators = new Iterators(storage.history);
    const frames = new Frames((bytes, start) => this.#frame(bytes, start));
    socket.on("data", (chunk: Buffer) => {
      frames.push(chunk);
      this.#replies.flush();
    });
    socket.on("close", () => storage.leave(this));
    socket.on("error", () => socket.destroy());
    socket.write(z5.framed(Buffer.from(isOld ? z5.OLD : z5.NEW)));
  }

  write(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  voted(): void {
    if (!this.#storage.traits.isOld) {
      this.write(z5.call(this.#voteId, REPLY, z5.NO_ITEMS));
      return;
    }
    const { all } = this.#stored;
    if (all !== undefined) this.write(serialnos(all, this.#storage.lastTid + 1));
    this.write(z5.call(this.#voteId, REPLY, z5.NONE));
  }

  #frame(bytes: Buffer, start: number): void {
    if (!this.#greeted) {
      this.#greeted = true;
      return;
    }
    const { idAt, idEnd, methodAt, argsAt } = readHead(bytes, start);
    const method = bytes.toString("latin1", methodAt, argsAt);
    switch (method) {
      case "loadBefore":
        this.#load(bytes, idAt, idEnd, bytes.readUInt32BE(argsAt + 6));
        return;
      case "storea":
        this.#stored.add(bytes, argsAt + 1);
        return;
      case "register":
        this.#storage.join(this);
        if (this.#storage.traits.isOld) this.#reply(bytes.subarray(idAt, idEnd), z5.NONE);
        else this.#replyTid(bytes.subarray(idAt, idEnd));
        return;
      case "getAuthProtocol":
      case "getInvalidations": // what is asked for lies behind its queue
        this.#reply(bytes.subarray(idAt, idEnd), z5.NONE);
        return;
      case "lastTransaction":
        this.#replyTid(bytes.subarray(idAt, idEnd));
        return;
      case "vote":
        this.#voteId = Buffer.from(bytes.subarray(idAt, idEnd));
        this.#storage.vote(this);
        return;
      case "tpc_finish":
        this.#finish(bytes.subarray(idAt, idEnd));
        return;
      case "tpc_abort":
        this.#stored.clear();
        this.#storage.release(this);
        return;
      case "sendBlob":
        void this.#sendBlob(Buffer.from(bytes.subarray(idAt, idEnd)), bytes.readUInt32BE(argsAt + 6));
        return;
      default: {
        // Else it is one-way: `tpc_begin`, `storeBlobStart`, ...
        const answer = this.#iterators?.answer(method, bytes, argsAt);
        if (answer !== undefined) this.#reply(bytes.subarray(idAt, idEnd), answer);
      }
    }
  }

  #reply(id: Uint8Array, value: Buffer): void {
    this.#replies.add(z5.call(id, REPLY, value));
  }

  #replyTid(id: Uint8Array): void {
    this.#replies.add(z5.call(id, REPLY, z5.bytes(z5.eight(this.#storage.lastTid))));
  }

  #load(bytes: Buffer, idAt: number, idEnd: number, size: number): void {
    if (size <= GATHERED_BYTES) {
      this.#replies.addFilled(wholeLoad(size), ID_AT, bytes, idAt, idEnd);
      return;
    }
    const { head, tail } = aroundLoad(size);
    bytes.copy(head, ID_AT, idAt, idEnd);
    const all = [head, ...pieces(size), tail];
    if (size > CORKED_BYTES) {
      void writeAll(this.#socket, all);
      return;
    }
    this.#socket.cork();
    for (const part of all) this.#socket.write(part);
    this.#socket.uncork();
  }

  #finish(id: Uint8Array): void {
    const tid = this.#storage.finish(this, this.#stored);
    this.#stored.clear();
    this.#replies.add(z5.call(id, REPLY, tid));
    this.#replies.flush();
    this.#storage.release(this);
  }

  async #sendBlob(id: Buffer, size: number): Promise<void> {
    const oid = z5.bytes(z5.eight(size));
    const chunk = z5.oneWay("receiveBlobChunk", z5.tuple(oid, SERIAL, z5.bytes(object(BLOB_CHUNK))));
    const chunks = Array.from({ length: Math.ceil(size / BLOB_CHUNK) }, () => chunk);
    const start = z5.oneWay("receiveBlobStart", z5.tuple(oid, SERIAL));
    const stop = z5.oneWay("receiveBlobStop", z5.tuple(oid, SERIAL));
    await writeAll(this.#socket, [start, ...chunks, stop]);
    this.write(z5.call(id, REPLY, z5.NONE));
  }
}
