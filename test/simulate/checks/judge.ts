import { invalidationFrame } from "../answers.ts";
import type { Cache } from "../cache.ts";
import { matches } from "../frame-reader.ts";
import type { Link } from "../link.ts";
import type { Answer } from "../message.ts";
import type { Scene } from "../scene.ts";
import type { Style } from "../style.ts";
import { Violation } from "../violation.ts";
import { Knowledge } from "./knowledge.ts";
import { commitAt, isNever, lacking, wanted } from "./must.ts";
import { ended, isOld, swallow } from "./old-answers.ts";
import { isInvalidation, readNamed, type Named } from "./read.ts";

/** What a frame was to the client. */
export type Heard =
  | { readonly type: "answer"; readonly answer: Answer; readonly named: Named | undefined }
  | { readonly type: "invalidation"; readonly named: Named };

/** So far behind what the client has read last is looked for the server's own message: more than any burst of calls. */
const FAR = 4000;

/** Looks at every frame that reaches one client: is it what the server wrote, where it wrote it, and complete? */
export class Judge {
  readonly #scene: Scene;
  readonly #link: Link;
  readonly knowledge: Knowledge;

  constructor(scene: Scene, link: Link, cache: Cache) {
    this.#scene = scene;
    this.#link = link;
    this.knowledge = new Knowledge(scene, link, cache);
  }

  /** Undefined: it was no good, and the run is over. */
  frame(bytes: Buffer, at: number, end: number): Heard | undefined {
    this.#scene.messages++;
    const { down } = this.#link;
    swallow(this.#scene, this.#link, bytes, at, end);
    const head = down.peek();
    if (head !== undefined && head.kind !== "invalidation" && matches(head.frame, bytes, at, end)) {
      if (isOld(this.#scene, this.#link, head)) return this.#old(head);
      down.shift();
      return this.#answered(head, undefined);
    }
    const frame = bytes.subarray(at, end);
    if (this.#link.hasMacs) return this.#relayed(frame, head);
    return isInvalidation(frame) ? this.#invalidation(frame) : this.#other(frame);
  }

  /** What nobody may change or move. */
  #relayed(frame: Buffer, head: Answer | undefined): Heard | undefined {
    if (head?.kind !== "invalidation" || !frame.equals(head.frame)) {
      return this.#fail("3 to client", `${describe(frame)} with a MAC, which the server did not write there`);
    }
    this.#link.down.shift();
    this.knowledge.announced(head.tid, head.oids);
    return { type: "invalidation", named: { tid: head.tid, oids: head.oids } };
  }

  /** Something that is no invalidation, behind invalidations; or a repaired reply. */
  #other(frame: Buffer): Heard | undefined {
    const { down } = this.#link;
    if (this.knowledge.isRegistering) {
      const registered = this.#registerReply(frame);
      if (registered !== undefined) return this.#answered(registered, undefined);
    }
    let head = down.peek();
    while (head !== undefined && head.kind === "invalidation") {
      if (!this.#isAccounted(head)) {
        return this.#fail("3 lost", `the server's invalidation of T${head.tid} does not come before what is behind it`);
      }
      down.shift();
      swallow(this.#scene, this.#link, frame, 0, frame.length);
      head = down.peek();
    }
    if (head === undefined) return this.#fail("3 to client", `${describe(frame)}, which the server did not write`);
    if (frame.equals(head.frame)) {
      if (isOld(this.#scene, this.#link, head)) return this.#old(head);
      down.shift();
      return this.#answered(head, undefined);
    }
    const end = ended(this.#scene, this.#link, head, frame);
    if (end !== undefined) {
      this.#scene.visits.count("subject: old answer");
      down.shift();
      return this.#answered(end, undefined);
    }
    const named = head.request?.kind === "getInvalidations" ? this.#repaired(frame, head) : undefined;
    if (named === undefined) {
      return this.#fail("3 to client", `${describe(frame)} instead of the answer to ${head.request?.method ?? "?"}`);
    }
    down.shift();
    return this.#answered(head, named);
  }

  /** What an old server wrote before the reply to `register` goes right behind it. */
  #registerReply(frame: Buffer): Answer | undefined {
    const { down } = this.#link;
    for (let i = 0; i < down.length; i++) {
      const answer = down.peek(i) as Answer;
      if (answer.request?.kind !== "register") continue;
      if (!frame.equals(answer.frame)) return undefined;
      down.remove(i);
      return answer;
    }
    return undefined;
  }

  /** A `getInvalidations` reply that is not the server's own. */
  #repaired(frame: Buffer, head: Answer): Named | "none" | undefined {
    const { style } = this.#link;
    if (style === undefined) return undefined;
    const start = frame.indexOf(".reply", 0, "latin1") + ".reply".length;
    if (!frame.subarray(4, start).equals(head.frame.subarray(4, start))) return undefined;
    if (frame.readUInt32BE(0) !== frame.length - 4) return undefined;
    const rest = frame.toString("latin1", start);
    if (rest === (style.isMsgpack ? "\xc0" : "Nt.")) return "none";
    const named = readNamed(style, frame, start);
    return named;
  }

  #answered(answer: Answer, repaired: Named | "none" | undefined): Heard | undefined {
    this.#scene.trace?.(() => {
      const what =
        repaired === undefined
          ? ""
          : repaired === "none"
            ? " repaired: None"
            : ` repaired: T${repaired.tid} (${repaired.oids.join(" ")})`;
      return `link ${this.#link.number} client reads ${answer.request?.method ?? answer.kind} ${answer.outcome} T${answer.tid}${what}`;
    });
    if (answer.kind === "oneWay") {
      if (this.knowledge.shown(answer.shows, "a message")) return undefined;
      return { type: "answer", answer, named: undefined };
    }
    const own = answer.outcome === "none" ? undefined : { tid: answer.tid, oids: answer.oids };
    const named = repaired === "none" ? undefined : (repaired ?? own);
    if (repaired === "none") this.#scene.visits.count("subject: resume None");
    else if (repaired !== undefined) this.#scene.visits.count("subject: resume completed");
    if (this.knowledge.answered(answer, named)) return undefined;
    return { type: "answer", answer, named };
  }

  // --- invalidations ----------------------------------------------------------------------------------------------

  #invalidation(frame: Buffer): Heard | undefined {
    const link = this.#link;
    const { style } = link;
    const named = style === undefined ? undefined : readNamed(style, frame, 4);
    if (style === undefined || named === undefined)
      return this.#fail("2 true", `${describe(frame)} names no known tid`);
    const { tid, oids } = named;
    link.told.push(named);
    this.#scene.trace?.(() => `link ${link.number} client reads invalidation T${tid} (${oids.join(" ")})`);
    const commit = commitAt(link, tid);
    if (commit === undefined) return this.#fail("2 true", `T${tid} is announced, which is not committed`);
    if (this.knowledge.isLate(named)) return { type: "invalidation", named };
    if (isNever(this.#scene, commit, link)) return this.#fail("2 own", `T${tid} is announced to its own committer`);
    const own = this.#place(tid);
    if (own === false) return undefined;
    this.#look(style, frame, named, own);
    const lacks = link.isUnrepaired ? undefined : lacking(oids, wanted(commit, link));
    if (lacks !== undefined) return this.#fail("1 incomplete", `T${tid} is announced without oid ${lacks}`);
    if (own !== undefined && lacking(oids, own.oids) !== undefined) {
      return this.#fail("3 fewer oids", `T${tid} is announced without all that the server named`);
    }
    if (this.knowledge.announced(tid, oids)) return undefined;
    return { type: "invalidation", named };
  }

  /**
   * Is it where it may be? Only what the server computed with T may be overtaken by the invalidation of T. Returns the
   * server's own message of T, if that is among what it has written and the client has not read; false: it may not.
   */
  #place(tid: number): Answer | undefined | false {
    const { down } = this.#link;
    let own: Answer | undefined;
    let overtaken: Answer | undefined;
    let isInOrder = false;
    for (let i = 0; own === undefined && i < down.length; i++) {
      const answer = down.peek(i) as Answer;
      if (answer.kind === "invalidation") {
        if (answer.tid === tid) own = answer;
        if (answer.tid >= tid && overtaken === undefined) isInOrder = true;
      } else overtaken ??= answer;
      if (overtaken !== undefined && i > FAR) break;
    }
    if (own !== undefined) {
      own.isDone = true;
      this.#dropDone();
    }
    if (isInOrder || overtaken === undefined || overtaken.computedAt >= tid) return own;
    if (this.#link.isHole) return own;
    this.#fail(
      "6 old answer",
      `T${tid} is announced before the answer to ${overtaken.request?.method ?? "?"}, computed at T${overtaken.computedAt}`,
    );
    return false;
  }

  #dropDone(): void {
    const { down } = this.#link;
    for (let head = down.peek(); head?.kind === "invalidation" && head.isDone; head = down.peek()) down.shift();
  }

  /** Is it written as this server writes? */
  #look(style: Style, frame: Buffer, { tid, oids }: Named, own: Answer | undefined): void {
    const { visits } = this.#scene;
    if (own !== undefined && frame.equals(own.frame)) {
      visits.count("subject: passed");
      return;
    }
    visits.count(own === undefined ? "subject: made up" : "subject: completed");
    if (!frame.equals(invalidationFrame(style, tid, oids, false))) {
      this.#fail("3 dialect", `T${tid} is not written as ${style.dialect} writes it: ${describe(frame)}`);
    }
  }

  /** The client knows of it otherwise, or need not know. */
  #isAccounted(own: Answer): boolean {
    if (own.isDone || this.knowledge.covers(own.tid)) return true;
    const commit = commitAt(this.#link, own.tid);
    // One that was copied to below others is told by the end of the connection, which must come.
    return commit?.by === this.#link || (commit?.isLow === true && this.#link.mustLearn > 0);
  }

  /** Nothing may be on its way any more. */
  atRest(): void {
    const { down } = this.#link;
    for (let i = 0; i < down.length; i++) {
      const answer = down.peek(i) as Answer;
      if (answer.kind === "invalidation" && this.#isAccounted(answer)) continue;
      const what = answer.kind === "reply" ? `the answer to ${answer.request?.method ?? "?"}` : answer.kind;
      this.#fail("4 stuck", `link ${this.#link.number}: ${what} (T${answer.tid}) never reaches the client`);
      return;
    }
    const [lost] = this.#link.swallowed;
    if (lost !== undefined) this.#fail("4 stuck", `the subject does not ask once more for ${lost.request?.oid ?? 0}`);
  }

  #old({ request, computedAt }: Answer): undefined {
    return this.#fail(
      "6 old answer",
      `that to loadBefore of ${request?.oid ?? 0}, computed at T${computedAt}, as it is`,
    );
  }

  #fail(name: string, text: string): undefined {
    if (this.#link.isWild) return undefined;
    this.#scene.fail(new Violation(name, `link ${this.#link.number} (${this.#link.style?.protocol ?? "?"}): ${text}`));
    return undefined;
  }
}

function describe(frame: Buffer): string {
  return `${frame.length} bytes (${frame.toString("latin1", 4, 70).replace(/[^ -~]/g, ".")})`;
}
