/** Real ZEO clients in a Python process, driven by JSON lines (see `python/driver.py`). */

import { createInterface } from "node:readline";
import { join } from "node:path";
import type { Installed } from "./install.ts";
import { PYTHON_SCRIPTS } from "./install.ts";
import { startPython } from "./processes.ts";
import type { Running } from "./processes.ts";
import { LOOPBACK } from "./sockets.ts";

/** What a client was told, in the order in which its network thread read it (see `python/recording.py`). */
export type ClientEvent =
  /** It begins to verify its cache, which stands at that tid and has so many objects. */
  | readonly ["verify", connection: number, tid: string, objects: number]
  | readonly ["invalidation", number, string, readonly string[]]
  | readonly ["resumed", number, string, readonly string[]]
  | readonly ["shown", number, string]
  | readonly ["told", string, readonly string[]]
  | readonly ["cache dropped"]
  | readonly ["stale cache"]
  | readonly ["own", string];

/** An exception in the Python process. */
export class PeerError extends Error {
  readonly type: string;

  constructor(type: string, message: string) {
    super(`${type}: ${message}`);
    this.name = "PeerError";
    this.type = type;
  }
}

export interface OpenOptions {
  readonly storage?: string;
  /** Open a ZODB.DB on the storage. */
  readonly db?: boolean;
  /** Folder and name of a persistent cache file. */
  readonly cache?: string;
  readonly name?: string;
  readonly blob_dir?: string;
  readonly shared_blobs?: boolean;
  readonly read_only?: boolean;
  /** Ask an `M5` server for `Z5` (new clients only). */
  readonly encoding?: "Z" | "M";
  readonly timeout?: number;
  /** Old clients look for the server with their own pauses: 1 s to 30 s, not the tests' shorter ones. */
  readonly default_polls?: boolean;
  /** A Unix socket, instead of the port. */
  readonly path?: string;
  /** ZEO 5's `ssl`: files, and the server's name. */
  readonly tls?: { readonly ca: string; readonly certificate: string; readonly key: string; readonly name: string };
}

export interface Loaded {
  readonly value: number;
  readonly serial: string;
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
  readonly timer: NodeJS.Timeout;
}

const CALL_TIMEOUT_MS = 30_000;

/** A process of one peer's packages; it can hold any number of clients. */
export class PeerProcess {
  readonly installed: Installed;
  readonly #running: Running;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;
  #nextClient = 1;
  #ended = false;

  private constructor(installed: Installed, running: Running) {
    this.installed = installed;
    this.#running = running;
    const lines = createInterface({ input: running.child.stdout });
    lines.on("line", (line) => this.#answer(line));
    running.child.once("close", () => {
      this.#ended = true;
      for (const waiting of this.#waiting.values()) {
        clearTimeout(waiting.timer);
        waiting.reject(new Error(`${installed.peer.name}: the client process ended\n${running.errors()}`));
      }
      this.#waiting.clear();
    });
  }

  /** `script`: another that answers such lines. */
  static async start(
    installed: Installed,
    cwd: string,
    script: string = join(PYTHON_SCRIPTS, "driver.py"),
  ): Promise<PeerProcess> {
    const process_ = new PeerProcess(
      installed,
      startPython(installed, [script], {
        cwd,
        env: process.env["PEERS_LOG"] === undefined ? {} : { PEERS_LOG: process.env["PEERS_LOG"] },
      }),
    );
    await process_.#expect(0, "start", 20_000);
    return process_;
  }

  /** Opens a ClientStorage towards `port`; waits until it is connected. */
  async open(port: number, options: OpenOptions = {}): Promise<PeerClient> {
    const client = this.reserve();
    await client.open(port, options);
    return client;
  }

  /** A client that is not open yet. */
  reserve(): PeerClient {
    return new PeerClient(this, `c${this.#nextClient++}`);
  }

  call(client: string, op: string, args: object, timeoutMs: number): Promise<unknown> {
    const id = this.#nextId++;
    const answer = this.#expect(id, op, timeoutMs);
    this.#running.child.stdin.write(`${JSON.stringify({ id, client, op, args })}\n`);
    return answer;
  }

  errors(): string {
    return this.#running.errors();
  }

  async stop(): Promise<void> {
    await this.#running.stop(500);
  }

  /** Ends it at once, whatever it is doing. */
  async kill(): Promise<void> {
    await this.#running.stop(0);
  }

  #expect(id: number, op: string, timeoutMs: number): Promise<unknown> {
    const who = `${this.installed.peer.name}: ${op}`;
    if (this.#ended) return Promise.reject(new Error(`${who}: the client process has ended\n${this.errors()}`));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new Error(`${who}: no answer within ${timeoutMs} ms\n${this.errors()}`));
      }, timeoutMs);
      this.#waiting.set(id, { resolve, reject, timer });
    });
  }

  #answer(line: string): void {
    const message = JSON.parse(line) as {
      id: number;
      result?: unknown;
      error?: { type: string; message: string };
    };
    const waiting = this.#waiting.get(message.id);
    if (waiting === undefined) return;
    this.#waiting.delete(message.id);
    clearTimeout(waiting.timer);
    if (message.error === undefined) waiting.resolve(message.result);
    else waiting.reject(new PeerError(message.error.type, message.error.message));
  }
}

/** One ClientStorage. Its calls are carried out one after the other, beside those of other clients. */
export class PeerClient {
  readonly process: PeerProcess;
  readonly #name: string;
  /** Everything that it was told so far, over all its openings. */
  readonly events: ClientEvent[] = [];
  isOpen = false;

  constructor(process_: PeerProcess, name: string) {
    this.process = process_;
    this.#name = name;
  }

  /** The peer's name. */
  get kind(): string {
    return this.process.installed.peer.name;
  }

  async #call<T>(op: string, args: object = {}, timeoutMs = CALL_TIMEOUT_MS): Promise<T> {
    return (await this.process.call(this.#name, op, args, timeoutMs)) as T;
  }

  async open(port: number, options: OpenOptions = {}): Promise<{ protocol: string; connected: boolean }> {
    const about = await this.#call<{ protocol: string; connected: boolean }>("open", {
      host: LOOPBACK,
      port,
      ...options,
    });
    this.isOpen = true;
    return about;
  }

  async close(): Promise<void> {
    if (!this.isOpen) return;
    this.isOpen = false;
    await this.#take("close");
  }

  /** Fetches what happened since, and returns all. */
  async told(): Promise<readonly ClientEvent[]> {
    if (this.isOpen) await this.#take("events");
    return this.events;
  }

  /** Of half an hour they are too many for the arguments of one call. */
  async #take(op: "close" | "events"): Promise<void> {
    for (const event of await this.#call<ClientEvent[]>(op)) this.events.push(event);
  }

  /** Waits until its DB was told of `tid` or a later one; false after `timeoutMs`. */
  waitTold(tid: string, timeoutMs: number): Promise<boolean> {
    return this.#call("wait_told", { tid, timeout: timeoutMs / 1000 }, timeoutMs + CALL_TIMEOUT_MS);
  }

  waitConnected = (timeoutMs: number): Promise<boolean> =>
    this.#call("wait_connected", { timeout: timeoutMs / 1000 }, timeoutMs + CALL_TIMEOUT_MS);
  about = (): Promise<{ protocol: string; connected: boolean }> => this.#call("about");
  lastTransaction = (): Promise<string> => this.#call("last_transaction");
  newOids = (n: number): Promise<string[]> => this.#call("new_oids", { n });
  load = (oid: string): Promise<Loaded | null> => this.#call("load", { oid });
  read = (oid: string): Promise<Loaded | null> => this.#call("read", { oid });
  readBlob = (oid: string): Promise<string> => this.#call("read_blob", { oid });
  blobDigest = (oid: string, timeoutMs: number): Promise<{ size: number; sha256: string }> =>
    this.#call("blob_digest", { oid }, timeoutMs);
  lookUp = (oid: string): Promise<{ remembered: boolean; found: Loaded | null }> => this.#call("look_up", { oid });

  begin = (tid?: string): Promise<void> => this.#call("begin", tid === undefined ? {} : { tid });
  /** `serial`: hex; left out: the current one; "none": Python's None; "new": a new object. */
  store = (oid: string, value: number, options: { class_name?: string; serial?: string } = {}): Promise<void> =>
    this.#call("store", { oid, value, ...options });
  check = (oid: string): Promise<void> => this.#call("check", { oid });
  deleteObject = (oid: string): Promise<void> => this.#call("delete", { oid });
  undo = (tid: string): Promise<void> => this.#call("undo", { tid });
  vote = (): Promise<void> => this.#call("vote");
  finish = (): Promise<string> => this.#call("finish");
  abort = (): Promise<void> => this.#call("abort");

  commit = (what: {
    create?: number;
    modify?: readonly string[];
    class_name?: string;
    blobs?: number;
    modify_blobs?: readonly string[];
  }): Promise<{ tid: string; created: string[] }> => this.#call("commit", what, 60_000);
  commitBlob = (size: number): Promise<{ oid: string; sha256: string }> => this.#call("commit_blob", { size }, 60_000);
  copyFrom = (path: string): Promise<void> => this.#call("copy_from", { path });
  pack = (): Promise<void> => this.#call("pack");
  write = (what: {
    count: number;
    seed: number;
    shared?: readonly string[];
    stop_after?: number;
    undo?: boolean;
    delete?: boolean;
  }): Promise<{ commits: number; conflicts: number; aborts: number }> => this.#call("write", what, 90_000);

  pollStart = (oids: readonly string[]): Promise<void> => this.#call("poll_start", { oids });
  pollStop = (): Promise<{ polls: number; error: string | null }> => this.#call("poll_stop");
}
