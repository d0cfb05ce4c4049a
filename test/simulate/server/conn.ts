import type { ConnectionHandler } from "../../../src/session/connection.ts";
import type { End } from "../end.ts";
import { readAgain } from "../checks/old-answers.ts";
import { FrameReader, matches, withMac } from "../frame-reader.ts";
import { writer } from "../frame-writer.ts";
import { invalidationFrame } from "../answers.ts";
import type { Link } from "../link.ts";
import type { Answer, Request } from "../message.ts";
import { Queue } from "../queue.ts";
import { styleOf, type Style } from "../style.ts";
import { Violation } from "../violation.ts";
import { Iterators } from "./iterators.ts";
import type { Server } from "./server.ts";
import { witnessCall } from "./unpickled.ts";
import type { Voted } from "./vote.ts";

/** A question of the subject's own, in either encoding: `lastTransaction` with an id between -2^31 and -2^30. */
const QUESTION =
  /^(?:(?:\x80\x03)?\(J([^]{3}[\x80-\xc0])(?:K\x00|I00\n|\x89)(?:U\x0f|X\x0f\x00\x00\x00)lastTransaction\)t\.|\x94\xd2([\x80-\xc0][^]{3})[\x00\xc2](?:\xaf|\xc4\x0f)lastTransaction\x90)$/;

export interface ServerTransaction {
  readonly txn: number;
  /** Given for a transaction that is copied, else 0. */
  readonly tid: number;
  readonly operations: Request[];
  /** What its vote has found, once it was granted. */
  voted: Voted | undefined;
}

/** A server's side of one connection: bytes to requests, and every byte looked at. */
export class ServerConn implements ConnectionHandler {
  readonly server: Server;
  readonly end: End;
  readonly #frames = new FrameReader();
  readonly inbox = new Queue<Request>();
  style: Style | undefined;
  /** It is on the storage's list. */
  isRegistered = false;
  isOpen = true;
  transaction: ServerTransaction | undefined;
  /** The vote that waits for the lock. */
  vote: Request | undefined;
  /** Old: its thread is at work. */
  isBusy = false;
  readonly iterators: Iterators;
  #isGreeted = false;
  #rawRead = 0;

  constructor(server: Server, end: End) {
    this.server = server;
    this.end = end;
    this.iterators = new Iterators(server);
  }

  /** The subject's own client is at its other end. */
  get isWitness(): boolean {
    return this.end.isWitness;
  }

  get link(): Link | undefined {
    return this.end.link;
  }

  /** The server speaks first. */
  greet(): void {
    if (this.#isGreeted) return;
    this.#isGreeted = true;
    this.end.write(writer.raw(this.server.kind.greeting));
    // Strangers would be answered what they do not know.
    const { strangers, faults } = this.server.scene.mix;
    if (this.isWitness) return;
    if (strangers === 0 && faults.tellEarly > 0 && this.server.chance("tellEarly")) this.#tellEarly();
  }

  /** Tells of a transaction before anybody has registered, as no server does; a while later it closes. */
  #tellEarly(): void {
    const { kind, scene } = this.server;
    const [protocol = kind.greeting] = kind.accepts;
    this.end.isOdd = true;
    if (this.link !== undefined) this.link.isWild = true;
    this.end.write(invalidationFrame(styleOf(kind, protocol), 1, [1], false));
    scene.timeline.plan(3_000_000, () => this.server.close(this, "told early"));
  }

  read(bytes: Buffer): void {
    if (!this.isOpen) return;
    this.greet();
    if (this.isWitness) {
      this.#frames.push(bytes, (all, at, end) => this.#witness(all.subarray(at, end)));
      if (this.inbox.length > 0) this.server.arrived(this);
      return;
    }
    const { link } = this;
    if (link === undefined || link.isRaw) {
      this.#raw(bytes);
      return;
    }
    this.#frames.push(bytes, (all, at, end) => this.#frame(link, all, at, end));
    if (this.inbox.length > 0) this.server.arrived(this);
  }

  #frame(link: Link, all: Buffer, at: number, end: number): boolean {
    const expected = link.up.peek();
    const { scene } = this.server;
    scene.messages++;
    if (expected !== undefined && matches(expected.frame, all, at, end)) {
      link.up.shift();
      scene.trace?.(
        () => `link ${link.number} server reads ${expected.method || expected.kind} ${expected.oid} T${expected.tid}`,
      );
      if (expected.kind === "hello") this.#hello(link, expected);
      else this.inbox.push(expected);
      return this.isOpen;
    }
    const frame = all.subarray(at, end);
    const asked = this.style === undefined || frame.length >= 64 ? null : QUESTION.exec(frame.toString("latin1", 4));
    if (asked !== null) {
      scene.visits.count("subject: question");
      const [, pickled, packed] = asked;
      const id = Buffer.from(pickled ?? packed ?? "", "latin1");
      this.inbox.push(question(frame, pickled === undefined ? id.readInt32BE() : id.readInt32LE()));
      return true;
    }
    const again = readAgain(link, frame);
    if (again !== undefined) {
      scene.visits.count("subject: reads again");
      scene.trace?.(() => `link ${link.number} server reads ${again.method} ${again.oid} once more`);
      this.inbox.push(again);
      return true;
    }
    if (link.isWild) {
      // What has become of a commit of its nobody will hear.
      if (link.isFinishing) scene.disturbs(link);
      this.server.close(this, "garbage");
      return false;
    }
    const wanted = expected === undefined ? "nothing" : expected.method || expected.kind;
    scene.fail(
      new Violation(
        "3 to server",
        `link ${link.number}: the server got ${describe(frame)}, the client wrote ${wanted}`,
      ),
    );
    return false;
  }

  /** What the subject's own client says. */
  #witness(frame: Buffer): boolean {
    const { kind, scene } = this.server;
    scene.messages++;
    if (this.style === undefined) {
      const protocol = frame.toString("latin1", 4);
      if (!kind.accepts.includes(protocol)) {
        scene.fail(new Violation("3 witness", `it answers ${protocol} to ${kind.greeting}`));
        return false;
      }
      this.style = styleOf(kind, protocol);
      return true;
    }
    const request = witnessCall(frame);
    if (request === undefined) {
      scene.fail(new Violation("3 witness", `the server got ${describe(frame)} of it`));
      return false;
    }
    scene.trace?.(() => `the witness asks ${request.method} (${(request.numbers ?? []).join(" ")})`);
    this.inbox.push(request);
    return true;
  }

  #hello(link: Link, request: Request): void {
    const protocol = request.frame.toString("latin1", 4);
    const { kind } = this.server;
    if (!kind.accepts.includes(protocol)) {
      this.server.close(this, "protocol");
      return;
    }
    this.style = link.style = styleOf(kind, protocol);
    this.server.scene.visits.count(`protocol: ${protocol} ${this.style.dialect}`);
  }

  /** Whoever this is, it is no client of a storage: a probe, a monitor, a TLS client. */
  #raw(bytes: Buffer): void {
    const { link } = this;
    const from = this.#rawRead;
    this.#rawRead += bytes.length;
    // Whose it is may show only now.
    if (link !== undefined) {
      const said = link.rawSaid.subarray(from, this.#rawRead);
      if (!said.equals(bytes))
        this.server.scene.fail(new Violation("3 raw", `a stranger's ${describe(bytes)} is changed`));
    }
    if (bytes[0] === 0x16) {
      this.end.write(TLS_ANSWER);
      return;
    }
    this.#frames.push(bytes, (all, at, end) => {
      if (all.toString("latin1", at + 4, end) === "ruok") this.end.write(MONITOR_ANSWER);
      this.server.close(this, "stranger");
      return false;
    });
  }

  write(answer: Answer): void {
    if (!this.isOpen || !this.end.isOpen) return;
    this.server.scene.trace?.(
      () => `link ${this.link?.number ?? "?"} server writes ${this.isWitness ? "the witness " : ""}${inShort(answer)}`,
    );
    const { link } = this;
    if (link !== undefined) this.#lookAtLength(link, answer.frame.length);
    const sent = link?.hasMacs === true ? { ...answer, frame: withMac(answer.frame) } : answer;
    if (answer.request?.isSubjects !== true) link?.down.push(sent);
    this.end.write(sent.frame);
  }

  /** The subject may refuse it; a commit that is on its way is in limbo then. */
  #lookAtLength(link: Link, length: number): void {
    const { scene } = this.server;
    const { frameBytes } = scene.mix;
    if (frameBytes === 0 || length <= frameBytes) return;
    link.isTooLong = true;
    if (link.isFinishing) scene.disturbs(link);
  }

  ended(): void {
    if (!this.isOpen) return;
    this.server.gone(this);
    this.end.carryOut("end");
  }

  drained(): void {
    // It never waits.
  }

  closed(): void {
    this.server.gone(this);
    this.server.forget(this);
  }
}

/** What strangers are answered. */
export const TLS_ANSWER = Buffer.from("\x16\x03\x01 server hello", "latin1");
export const MONITOR_ANSWER = Buffer.from('\x00\x00\x00\x0e{"clients": 1}', "latin1");

function question(frame: Buffer, id: number): Request {
  return {
    frame: Buffer.from(frame),
    kind: "lastTransaction",
    method: "lastTransaction",
    id,
    isOneWay: false,
    oid: 0,
    tid: 0,
    txn: 0,
    askedAt: 0,
    toldAt: 0,
    isSubjects: true,
  };
}

function inShort({ kind, request, outcome, tid, oids }: Answer): string {
  return `${kind} ${request?.method ?? ""} ${outcome} T${tid} (${oids.join(" ")})`;
}

function describe(frame: Buffer): string {
  return `${frame.length} bytes (${frame.toString("latin1", 4, 60).replace(/[^ -~]/g, ".")})`;
}
