import type { ServerFamily } from "../ledger/state.ts";
import { tellObserved } from "../happening/observed.ts";
import { Storage, type StorageHost } from "./storage.ts";

/** The storages of one server, by name and family: a server that came back as another family starts anew. */
export class Storages {
  readonly #server: string;
  #host: StorageHost;
  readonly #storages = new Map<string, Storage>();
  #shadows: Storages | undefined;
  /** Upstreams whose sessions are observed. */
  readonly #observers = new Set<object>();
  /** What is known of them is kept for those who come back. */
  readonly #areKept: () => boolean;

  constructor(server: string, host: StorageHost, areKept = (): boolean => true) {
    this.#server = server;
    this.#host = host;
    this.#areKept = areKept;
  }

  get(name: string, family: ServerFamily): Storage {
    const key = `${family} ${name}`;
    let storage = this.#storages.get(key);
    if (storage === undefined) {
      const made = new Storage(this.#server, name, family, this.#host, () => this.forgetUnused(made));
      storage = made;
      this.#storages.set(key, storage);
    }
    return storage;
  }

  /** The same server's for sessions that are observed: what these are not told is nothing that others rely on. */
  get shadows(): Storages {
    // They hold nothing up, whatever they would.
    const host = { ...this.#host, report: tellObserved(this.#host.report), held: undefined };
    this.#shadows ??= new Storages(this.#server, host, () => this.#observers.size > 0);
    return this.#shadows;
  }

  /**
   * That upstream observes its sessions, or does not any more. Where none does nobody comes back to the shadows: each is forgotten,
   * with its witness, as soon as the last session has left it.
   */
  observedBy(upstream: object, isObserving: boolean): void {
    if (isObserving) this.#observers.add(upstream);
    else this.#observers.delete(upstream);
    const shadows = this.#shadows;
    if (shadows !== undefined) for (const storage of [...shadows.all()]) shadows.forgetUnused(storage);
  }

  /** That upstream's configuration names these: their witnesses begin. Nothing where there are to be none. */
  expect(names: readonly string[], family: ServerFamily, upstream: string): void {
    if (this.#host.witness === undefined) return;
    for (const name of names) this.get(name, family).expect(upstream);
  }

  /** A session has left, or the server is of another family: forgets the storage if nothing is known of it, or need be. */
  forgetUnused(storage: Storage): void {
    if (!storage.isUnused && (this.#areKept() || !storage.isDeserted)) return;
    storage.stop();
    for (const [key, other] of this.#storages) if (other === storage) this.#storages.delete(key);
  }

  /** The server is there again. */
  nudge(): void {
    for (const storage of this.#storages.values()) storage.nudge();
    this.#shadows?.nudge();
  }

  /** That upstream is called otherwise, or is gone and `name` is another one of this server. */
  upstreamIs(name: string, before: string): void {
    for (const storage of this.#storages.values()) storage.upstreamIs(name, before);
    this.#shadows?.upstreamIs(name, before);
  }

  /** `limits.history` is another one from now on. */
  bound(historyBytes: number): void {
    this.#host = { ...this.#host, historyBytes };
    for (const storage of this.#storages.values()) storage.bound(historyBytes);
    this.#shadows?.bound(historyBytes);
  }

  all(): Iterable<Storage> {
    return this.#storages.values();
  }

  /** Those of observed sessions. */
  allShadows(): Iterable<Storage> {
    return this.#shadows?.all() ?? [];
  }

  /** None of them looks for anything any more. */
  stop(): void {
    for (const storage of this.#storages.values()) storage.stop();
    this.#shadows?.stop();
  }
}
