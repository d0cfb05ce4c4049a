import { failed, item, none, number } from "../answers.ts";
import type { Answer, Request } from "../message.ts";
import type { Style } from "../style.ts";
import type { Commit } from "../truth.ts";
import type { Server } from "./server.ts";

type Iterator =
  | { readonly of: "transactions"; readonly stop: number; next: number; given: number; isOver: boolean }
  | { readonly of: "records"; readonly commit: Commit; next: number; isOver: boolean };

/** What one connection iterates over: counted from 0 on, one that can't be had, too. */
export class Iterators {
  readonly #server: Server;
  readonly #all = new Map<number, Iterator>();
  #count = 0;

  constructor(server: Server) {
    this.#server = server;
  }

  /** Undefined: no answer. */
  answer(style: Style, request: Request): Answer | undefined {
    const server = this.#server;
    const { visits } = server.scene;
    const at = server.readable;
    const [first = 0, second = 0] = request.numbers ?? [];
    switch (request.kind) {
      case "iteratorStart": {
        const id = this.#count++;
        // A vote of somebody else's is being written into the file.
        if (first > 0 && style.family === "old" && server.troubles("iteratorFails")) {
          return failed(style, request, at, server.random.pick(["ValueError", "AttributeError"]));
        }
        this.#all.set(id, { of: "transactions", next: first, stop: second, given: 0, isOver: false });
        return number(style, request, at, id);
      }
      case "iteratorNext": {
        const iterator = this.#all.get(first);
        if (iterator?.of !== "transactions" || iterator.isOver) return this.#keyError(style, request);
        const { commits } = server.truth;
        const commit = commits[server.truth.after(iterator.next - 1)];
        if (commit === undefined || commit.tid > iterator.stop || commit.tid > at) {
          iterator.isOver = true;
          visits.count("iteration: end");
          return none(style, request, at);
        }
        iterator.next = commit.tid + 1;
        iterator.given = commit.tid;
        visits.count("iteration: transaction");
        return item(style, request, at, commit.tid, 0);
      }
      case "recordStart": {
        const id = this.#count++;
        const iterator = this.#all.get(first);
        if (iterator?.of !== "transactions") return this.#keyError(style, request);
        const commit = server.truth.at(second);
        if (iterator.given !== second || commit === undefined) return failed(style, request, at, "Exception");
        this.#all.set(id, { of: "records", commit, next: 0, isOver: false });
        return number(style, request, at, id);
      }
      case "recordNext": {
        const iterator = this.#all.get(first);
        if (iterator?.of !== "records" || iterator.isOver) return this.#keyError(style, request);
        const oid = iterator.commit.oids[iterator.next++];
        if (oid !== undefined) return item(style, request, at, iterator.commit.tid, oid);
        iterator.isOver = true;
        return none(style, request, at);
      }
      default:
        for (const id of request.numbers ?? []) {
          visits.count("iteration: given back");
          const iterator = this.#all.get(id);
          this.#all.delete(id);
          // It was more than the subject may read.
          if (iterator?.of === "transactions" && iterator.given > 0 && !iterator.isOver) {
            server.scene.leftUnread(server.number, iterator.stop);
          }
        }
        return undefined;
    }
  }

  /** A server logs a traceback for each: nobody should come to that but for a moment that was unlucky. */
  #keyError(style: Style, request: Request): Answer {
    this.#server.scene.visits.count("iteration: KeyError");
    return failed(style, request, this.#server.readable, "KeyError");
  }
}
