import type { ConnectionCommand, ConnectionHandler } from "../../../src/session/connection.ts";
import { Judge } from "../checks/judge.ts";
import type { End } from "../end.ts";
import { FrameReader, withMac } from "../frame-reader.ts";
import type { Link } from "../link.ts";
import type { Answer, Request } from "../message.ts";
import type { Mix } from "../mix.ts";
import { Requests } from "../requests.ts";
import { KINDS, styleOf, type Style } from "../style.ts";
import { HANDSHAKE_MS } from "../subject.ts";
import { Violation } from "../violation.ts";
import type { Client } from "./client.ts";
import { deed, loadKey } from "./deeds.ts";
import { NONSENSE, nonsense } from "./nonsense.ts";
import { Transaction } from "./transaction.ts";

const HANDSHAKE_US = 1000 * HANDSHAKE_MS;
const SLOW_US = 3_000_000;
export const STUCK_US = 200_000_000;

/** One connection of a client: registers, verifies its cache, then does what the seed wants. */
export class ClientConn implements ConnectionHandler {
  readonly client: Client;
  readonly end: End;
  readonly link: Link;
  readonly judge: Judge;
  readonly transaction: Transaction;
  readonly #frames = new FrameReader();
  #requests: Requests | undefined;
  /** Calls without an answer. */
  waiting = 0;
  #isOpen = true;
  #hasLeft = false;
  #isStuck = false;
  /** Frames that are written together. */
  #together: Buffer[] | undefined;
  /** ZEO 5 clients number loads by oid and tid: not twice at a time. */
  readonly loading = new Set<number>();

  constructor(client: Client, end: End, link: Link) {
    this.client = client;
    this.end = end;
    this.link = link;
    this.judge = new Judge(client.scene, link, client.cache);
    this.transaction = new Transaction(this);
  }

  get mix(): Mix {
    return this.client.scene.mix;
  }

  get style(): Style {
    if (this.link.style === undefined) throw new Error("a client that has not said hello");
    return this.link.style;
  }

  get requests(): Requests {
    if (this.#requests === undefined) throw new Error("a client that has not said hello");
    return this.#requests;
  }

  get isReady(): boolean {
    return this.judge.knowledge.phase === "ready" && this.#requests !== undefined;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Does an old client wait in its finish? Then it does nothing else. */
  get isBlocked(): boolean {
    return this.judge.knowledge.isInOldFinish;
  }

  // --- bytes ------------------------------------------------------------------------------------------------------

  read(bytes: Buffer): void {
    if (this.#hasLeft) return;
    this.#frames.push(bytes, (all, at, end) => {
      if (this.#requests === undefined) this.#greeted(all.toString("latin1", at + 4, end));
      else {
        const heard = this.judge.frame(all, at, end);
        if (heard === undefined) return this.link.isWild;
        if (heard.type === "answer") this.#answered(heard.answer);
      }
      return !this.#hasLeft;
    });
  }

  send(request: Request): void {
    if (!this.#isOpen || this.#hasLeft) return;
    if (!request.isOneWay) this.waiting++;
    request.askedAt = this.client.cache.last;
    request.toldAt = this.link.told.length;
    const { frameBytes } = this.mix;
    if (frameBytes > 0 && request.frame.length > frameBytes) this.link.isTooLong = true;
    const sent = this.link.hasMacs ? { ...request, frame: withMac(request.frame) } : request;
    this.link.up.push(sent);
    if (this.#together === undefined) this.end.write(sent.frame);
    else this.#together.push(sent.frame);
  }

  /** Everything that `work` sends goes out in one piece. */
  together(work: () => void): void {
    if (this.#together !== undefined) {
      work();
      return;
    }
    this.#together = [];
    work();
    const frames = this.#together;
    this.#together = undefined;
    if (frames.length > 0 && this.#isOpen && !this.#hasLeft) this.end.write(Buffer.concat(frames));
  }

  // --- conversation -----------------------------------------------------------------------------------------------

  #greeted(greeting: string): void {
    const { client, link } = this;
    client.scene.messages++;
    if (!KINDS.some((kind) => kind.greeting === greeting)) {
      client.scene.fail(new Violation("3 to client", `link ${link.number}: a greeting "${greeting}"`));
      return;
    }
    const { kind } = client.server;
    if (kind.greeting !== greeting) {
      // Another server has come meanwhile.
      this.leave("end");
      return;
    }
    const protocol = kind.accepts[client.taste % kind.accepts.length] ?? greeting;
    link.style = styleOf(kind, protocol);
    const isOld = link.style.family === "old";
    const first = isOld && this.mix.zeroIds ? 0 : 1;
    this.#requests = new Requests(link.style, first, link.style.hasVersions);
    client.scene.visits.count("client: greeted");
    this.together(() => {
      this.send(Requests.hello(protocol));
      link.hasMacs = client.hasMacs && isOld;
      if (this.mix.hesitates && client.random.chance(0.5)) client.after(this.mix.latencyUs, () => this.#register());
      else this.#register();
    });
  }

  #register(): void {
    this.link.registeredAt = this.client.scene.timeline.now;
    this.send(this.requests.register("main", false));
    if (this.mix.faults.impatient > 0 && this.client.chance("impatient")) this.#goWild(this.requests.vote(1).frame);
  }

  #answered(answer: Answer): void {
    const { request, outcome } = answer;
    if (request === undefined) return;
    this.waiting--;
    const { knowledge } = this.judge;
    switch (request.kind) {
      case "register":
        if (outcome === "exception") {
          this.client.scene.visits.count("client: refused");
          this.send(this.requests.register("main", true));
          return;
        }
        if (knowledge.phase === "asking") this.send(this.requests.lastTransaction());
        else this.#verify();
        return;
      case "lastTransaction":
        if (knowledge.phase === "verifying") this.#verify();
        else if (!this.#isDeciding) this.#begin();
        return;
      case "getInvalidations":
        this.client.scene.visits.count(outcome === "none" ? "client: verified nothing" : "client: verified");
        this.#begin();
        return;
      case "load":
      case "loadBefore":
        this.#loaded(request, answer);
        return;
      case "vote":
        this.transaction.voted(answer);
        return;
      case "finish":
        this.transaction.finished(answer);
        return;
      default:
    }
  }

  #verify(): void {
    if (this.judge.knowledge.phase === "verifying") {
      this.send(this.requests.getInvalidations(this.client.cache.last));
    } else this.#begin();
  }

  #loaded(request: Request, answer: Answer): void {
    const { cache } = this.client;
    const { oid } = request;
    this.loading.delete(loadKey(oid, request.tid));
    const isCurrent = request.kind === "load" || request.tid === NEWEST;
    if (!isCurrent) return;
    const serial = answer.outcome === "exception" ? 0 : answer.tid;
    if (answer.outcome !== "exception" && answer.outcome !== "done") return;
    if (this.style.family === "new") cache.keep(oid, serial, answer.computedAt);
    else cache.keepUnlessDropped(oid, serial, answer.computedAt);
  }

  // --- decisions --------------------------------------------------------------------------------------------------

  #isDeciding = false;

  #begin(): void {
    if (this.#isDeciding) return;
    this.#isDeciding = true;
    this.client.scene.visits.count("client: ready");
    this.#think();
  }

  #think(): void {
    this.client.after(this.mix.thinkMs * 1000, () => {
      const { client } = this;
      if (!this.#isOpen || this.#hasLeft || client.scene.isCalm) return;
      if (!client.host.decide()) return;
      client.host.disturb(client);
      if (this.#isOpen && !this.#hasLeft) this.#decide();
      this.#think();
    });
  }

  #decide(): void {
    const { client } = this;
    if (client.chance("leave")) return this.leave(client.random.pick(["end", "destroy"]));
    if (client.chance("leaveReset")) return this.reset();
    if (client.chance("garbage")) {
      const kind = client.random.pick(NONSENSE);
      client.scene.visits.count(`nonsense: ${kind}`);
      return this.#goWild(nonsense(kind, this.requests, client.random));
    }
    if (client.chance("slow")) {
      this.end.carryOut("pause");
      client.after(SLOW_US, () => this.end.carryOut("resume"));
    }
    if (this.mix.stuck > 0 && client.random.chance(this.mix.stuck)) this.#stick();
    if (!this.isBlocked) deed(this);
    return undefined;
  }

  /** It reads nothing for longer than the subject waits, and goes on writing. */
  #stick(): void {
    const { scene } = this.client;
    scene.visits.count("client: stuck");
    this.link.isStuck = true;
    this.end.carryOut("pause");
    this.#isStuck = true;
    scene.timeline.plan(STUCK_US, () => {
      this.#isStuck = false;
      this.end.carryOut("resume");
    });
  }

  /** Nobody can follow it any more. */
  #goWild(said: Buffer): void {
    this.link.isWild = true;
    this.client.after(3_000_000, () => this.leave("destroy"));
    this.end.write(said);
  }

  // --- the end ----------------------------------------------------------------------------------------------------

  /** Nothing that it can do is left undone: no more is decided. */
  calm(): void {
    if (!this.#isStuck) this.end.carryOut("resume");
    this.transaction.calm();
  }

  /** It has waited long enough for a greeting. */
  giveUp(): void {
    if (this.#requests === undefined) this.leave("destroy");
  }

  leave(how: ConnectionCommand): void {
    if (this.#hasLeft || !this.#isOpen) return;
    this.client.scene.visits.count(`client: leaves (${how})`);
    this.#left(how);
    this.end.carryOut("resume");
    this.end.carryOut(how);
    if (how === "end") this.client.after(8_000_000, () => this.end.carryOut("destroy"));
  }

  reset(): void {
    if (this.#hasLeft || !this.#isOpen) return;
    this.client.scene.visits.count("client: leaves (reset)");
    this.#left("reset");
    this.link.isCut = true;
    this.end.break(this.client.random.chance(0.5));
  }

  #left(how: string): void {
    this.client.scene.trace?.(() => `client ${this.client.number} leaves link ${this.link.number} (${how})`);
    this.#hasLeft = true;
    this.#over();
  }

  ended(): void {
    this.#gone();
    this.end.carryOut("end");
  }

  drained(): void {
    // It writes whatever it likes.
  }

  closed(): void {
    this.#gone();
  }

  /** The other side has ended it. */
  #gone(): void {
    if (this.#hasLeft || !this.#isOpen) return;
    const { scene, server } = this.client;
    const { link } = this;
    scene.trace?.(() => `client ${this.client.number} has lost link ${link.number}`);
    scene.visits.count("client: was left");
    // Where there is no server nobody can be kept.
    const isExcused =
      link.serverEnd === undefined ||
      link.isServerGone ||
      link.isCut ||
      link.isWild ||
      link.isTooLong ||
      link.isStuck ||
      // What stalls the network can keep a handshake from coming to its end for too long.
      (!link.isRegistered && scene.timeline.now - link.dialledAt >= HANDSHAKE_US) ||
      (link.hasMacs && this.mix.refuseUnknown) ||
      scene.mayEnd(server.number, link);
    if (!isExcused) {
      scene.fail(new Violation("4 ended", `link ${link.number}: its connection was ended, for no reason that is seen`));
    }
    this.#over();
  }

  #over(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.client.lost(this);
  }
}

const NEWEST = 0xffffffff;
