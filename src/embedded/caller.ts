import type { Tid } from "../wire/ids.ts";
import { tidBytes } from "../wire/ids.ts";
import type { Value } from "../wire/value.ts";
import { PyTuple } from "../wire/value.ts";
import type { ClientTransaction } from "./client-transaction.ts";
import { StorageFault } from "./faults.ts";
import type { Fault } from "./faults.ts";
import type { HostedStorage, Registrant } from "./hosted-storage.ts";
import { hasVersions, nativeDict } from "./style.ts";
import type { Style } from "./style.ts";
import type { ServerBehaviour } from "./behaviour.ts";

/** How a call is answered when its method answers by itself; a one-way call has a silent one. */
export interface Answer {
  reply(value: Value): void;
  fail(fault: Fault): void;
}

/** What a caller needs of its connection. */
export interface CallerLink {
  /** 1, 2, ... in the order in which the server accepted. */
  readonly connection: number;
  sendOneWay(kind: "invalidation" | "one-way", method: string, args: readonly Value[], tid?: Tid): void;
}

/** One client of one storage: who calls the methods, and what they work on. */
export class Caller implements Registrant {
  readonly link: CallerLink;
  readonly style: Style;
  readonly behaviour: ServerBehaviour;
  readonly storages: ReadonlyMap<string, HostedStorage>;
  /** Undefined before a successful `register`. */
  hosted: HostedStorage | undefined;
  readOnly: boolean;
  transaction: ClientTransaction | undefined;
  /** What the client calls itself. */
  label = "";

  constructor(
    link: CallerLink,
    style: Style,
    behaviour: ServerBehaviour,
    storages: ReadonlyMap<string, HostedStorage>,
  ) {
    this.link = link;
    this.style = style;
    this.behaviour = behaviour;
    this.storages = storages;
    this.readOnly = behaviour.readOnly;
  }

  get connection(): number {
    return this.link.connection;
  }

  /** The storage. Throws an `attribute` fault before `register`: that is what an old server answers. */
  get registered(): HostedStorage {
    if (this.hosted === undefined) throw new StorageFault({ kind: "attribute", reason: "no storage is registered" });
    return this.hosted;
  }

  tellInvalidation(tid: Tid, oids: readonly Buffer[]): void {
    const list: Value = hasVersions(this.style) ? oids.map((oid) => new PyTuple([oid, Buffer.alloc(0)])) : [...oids];
    this.link.sendOneWay("invalidation", "invalidateTransaction", [tidBytes(tid), list], tid);
  }

  tellSize(): void {
    const { storage } = this.registered;
    this.link.sendOneWay("one-way", "info", [nativeDict(this.style, { length: storage.length, size: storage.size })]);
  }

  /** The connection is gone: its transaction is aborted, its lock free. */
  end(): void {
    const hosted = this.hosted;
    if (hosted === undefined) return;
    this.transaction?.pending?.abort();
    if (this.transaction !== undefined) hosted.counters.activeTransactions -= 1;
    this.transaction = undefined;
    this.hosted = undefined;
    hosted.remove(this);
  }
}
