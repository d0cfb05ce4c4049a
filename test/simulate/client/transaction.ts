import { NONE_SERIAL, type Answer } from "../message.ts";
import type { Deed } from "../mix.ts";
import type { ClientConn } from "./conn.ts";

type Phase = "none" | "voting" | "voted" | "refused" | "conflicts" | "finishing";

/** `sure`: nothing of it can be refused. */
type Kind = Deed | "sure";

type Change = "stored" | "restored" | "deleted";

/** What a client commits, one transaction after the other. */
export class Transaction {
  readonly #conn: ClientConn;
  #phase: Phase = "none";
  #txn = 0;
  /** By oid; an oid that is stored twice has one entry. */
  #changes = new Map<number, Change>();
  #undone: readonly number[] = [];

  constructor(conn: ClientConn) {
    this.#conn = conn;
  }

  get isOpen(): boolean {
    return this.#phase !== "none";
  }

  get phase(): Phase {
    return this.#phase;
  }

  begin(what: Kind): void {
    if (this.isOpen) return;
    const conn = this.#conn;
    const { random } = conn.client;
    // Ids repeat.
    this.#txn = random.between(1, 5);
    this.#changes = new Map();
    this.#undone = [];
    conn.together(() => {
      const tid = what === "copy" ? this.#copiedTid() : 0;
      if (tid !== 0) conn.client.scene.copies(conn.link);
      conn.send(conn.requests.begin(this.#txn, tid));
      if (random.chance(0.05)) conn.send(conn.requests.begin(this.#txn, tid));
      this.#stores(what);
      conn.send(conn.requests.vote(this.#txn));
    });
    this.#phase = "voting";
  }

  #stores(what: Kind): void {
    const { random } = this.#conn.client;
    switch (what) {
      case "modify":
        for (let i = random.between(1, 3); i > 0; i--) this.#modify();
        return;
      case "create":
        for (let i = random.between(1, 3); i > 0; i--) this.#create();
        return;
      case "mixed":
        this.#modify();
        this.#create();
        if (random.chance(0.3)) this.#check();
        return;
      case "delete":
        this.#delete();
        return;
      case "sure":
        this.#restore();
        return;
      case "restore":
        this.#restore();
        if (random.chance(0.5)) this.#modify();
        return;
      case "copy":
        for (let i = random.between(1, 3); i > 0; i--) this.#restore();
        return;
      case "blob":
        this.#blob();
        return;
      case "undo":
        this.#undo();
        if (random.chance(0.3)) this.#create();
        return;
      case "empty":
        if (random.chance(0.5)) this.#check();
        return;
      default:
        return;
    }
  }

  #modify(): void {
    const conn = this.#conn;
    const { random } = conn.client;
    const oid = 1 + random.below(conn.mix.objects);
    const serial = this.#serial(oid);
    if (serial === 0) return;
    this.#store(oid, serial);
    if (random.chance(0.05)) this.#store(oid, serial);
  }

  #create(): void {
    const conn = this.#conn;
    const { truth } = conn.client.server;
    const { random } = conn.client;
    let oid = 1 + random.below(conn.mix.objects);
    for (let i = 0; i < 5 && truth.serial(oid) !== 0; i++) oid = 1 + random.below(conn.mix.objects + 5);
    if (this.#changes.has(oid)) return;
    const serial = truth.serial(oid);
    this.#store(oid, serial === 0 && random.chance(conn.mix.noneSerials) ? NONE_SERIAL : serial);
  }

  #store(oid: number, serial: number): void {
    const conn = this.#conn;
    const { random } = conn.client;
    const size = random.chance(0.02) ? conn.mix.largeBytes : random.between(5, 150);
    conn.send(conn.requests.store(this.#txn, oid, serial, size));
    this.#changes.set(oid, "stored");
  }

  #blob(): void {
    const conn = this.#conn;
    const { random } = conn.client;
    const oid = 1 + random.below(conn.mix.objects);
    const serial = this.#serial(oid);
    const isShared = random.chance(0.3);
    if (!isShared) {
      for (let i = random.between(1, 3); i > 0; i--) conn.send(conn.requests.blobChunk(random.between(100, 3000)));
    }
    conn.send(conn.requests.storeBlob(this.#txn, oid, serial, 30, isShared));
    if (random.chance(0.3)) conn.send(conn.requests.store(this.#txn, oid, serial, 30));
    this.#changes.set(oid, "stored");
  }

  #delete(): void {
    const conn = this.#conn;
    const oid = 1 + conn.client.random.below(conn.mix.objects);
    const serial = this.#serial(oid);
    if (serial === 0) return;
    conn.send(conn.requests.delete(this.#txn, oid, serial));
    this.#changes.set(oid, "deleted");
  }

  /** Of a transaction from another database: mostly a new one, now and then one between those that are there. */
  #copiedTid(): number {
    const { truth } = this.#conn.client.server;
    const { random } = this.#conn.client;
    return (random.chance(this.#conn.mix.copiesBelow) ? truth.between(random.below(5)) : undefined) ?? truth.nextTid();
  }

  #restore(): void {
    const conn = this.#conn;
    const oid = 1 + conn.client.random.below(conn.mix.objects);
    conn.send(conn.requests.restore(this.#txn, oid, 40));
    this.#changes.set(oid, "restored");
  }

  #check(): void {
    const conn = this.#conn;
    const oid = 1 + conn.client.random.below(conn.mix.objects);
    const serial = this.#serial(oid);
    if (serial !== 0) conn.send(conn.requests.check(this.#txn, oid, serial));
  }

  #undo(): void {
    const conn = this.#conn;
    const { commits } = conn.client.server.truth;
    const { random } = conn.client;
    const commit = commits[commits.length - 1 - random.below(Math.min(3, commits.length))];
    if (commit !== undefined) conn.send(conn.requests.undo(this.#txn, commit.tid));
  }

  /** As if it had just loaded it; or what it has in its cache, which may be old. */
  #serial(oid: number): number {
    const { cache, server, random } = this.#conn.client;
    const cached = cache.serial(oid);
    return cached !== undefined && random.chance(0.7) ? cached : server.truth.serial(oid);
  }

  // --- answers ----------------------------------------------------------------------------------------------------

  voted(answer: Answer): void {
    const conn = this.#conn;
    const { client } = conn;
    client.scene.visits.count(`vote: ${answer.outcome}`);
    switch (answer.outcome) {
      case "done":
        this.#phase = "voted";
        this.#undone = answer.oids;
        client.granted(answer.computedAt);
        this.#soon();
        return;
      case "refused":
        this.#phase = "refused";
        this.#soon();
        return;
      case "conflicts":
        this.#phase = "conflicts";
        this.#conflicts = answer.oids;
        this.#soon();
        return;
      default:
        this.#phase = "none";
        // Clients abort what has failed.
        if (client.random.chance(0.8)) this.#abort();
    }
  }

  #conflicts: readonly number[] = [];

  #soon(): void {
    const conn = this.#conn;
    const { random } = conn.client;
    // Programs don't think before they finish.
    if (random.chance(0.4)) conn.client.scene.network.soon(() => this.#goOn());
    else conn.client.after(Math.min(conn.mix.thinkMs, 50) * 1000, () => this.#goOn());
  }

  #goOn(): void {
    const conn = this.#conn;
    if (!conn.isOpen) return;
    const { client, mix } = conn;
    switch (this.#phase) {
      case "voted":
        if (!client.scene.isCalm && client.random.chance(mix.aborts)) this.#abort();
        else this.#finish();
        return;
      case "refused":
        this.#abort();
        return;
      case "conflicts":
        if (client.random.chance(0.3)) this.#abort();
        else this.#resolve();
        return;
      default:
    }
  }

  #resolve(): void {
    const conn = this.#conn;
    const { truth } = conn.client.server;
    conn.together(() => {
      for (const oid of this.#conflicts) {
        conn.send(conn.requests.store(this.#txn, oid, truth.serial(oid), 30));
        this.#changes.set(oid, "stored");
      }
      conn.send(conn.requests.vote(this.#txn));
    });
    this.#phase = "voting";
  }

  #abort(): void {
    const conn = this.#conn;
    conn.client.scene.visits.count("client: aborts");
    conn.send(conn.requests.abort(this.#txn, conn.client.random.chance(0.5)));
    this.#phase = "none";
  }

  #finish(): void {
    const conn = this.#conn;
    const { client, link } = conn;
    this.#phase = "finishing";
    link.isFinishing = true;
    // It may be forwarded on a connection that has ended: then nobody knows whether it was read.
    if (link.isServerGone || link.isCut || link.isTooLong) client.scene.disturbs(link);
    if (conn.style.family === "old") conn.judge.knowledge.isInOldFinish = true;
    conn.send(conn.requests.finish(this.#txn));
    if (client.chance("leaveFinishing")) {
      client.after(4 * conn.mix.latencyUs + 200, () => {
        if (client.random.chance(0.4)) conn.reset();
        else conn.leave(client.random.pick(["end", "destroy"]));
      });
    } else if (client.chance("cutFinishing")) {
      client.after(4 * conn.mix.latencyUs + 200, () => client.host.cut(link));
    }
  }

  finished(answer: Answer): void {
    this.#phase = "none";
    const { client } = this.#conn;
    client.scene.visits.count(`finish: ${answer.outcome}`);
    if (answer.outcome !== "done") return;
    const { cache } = client;
    const { tid } = answer;
    for (const [oid, change] of this.#changes) {
      if (change === "stored") cache.keep(oid, tid, tid);
      else cache.drop(oid);
    }
    for (const oid of this.#undone) cache.drop(oid);
  }

  /** What it holds it lets go. */
  calm(): void {
    if (this.#phase !== "none") this.#goOn();
  }
}
