import { NO_TID, readTid, tidBytes, type Tid } from "../wire/ids.ts";
import type { Protocol } from "../wire/handshake.ts";
import type { ReplyHead } from "../wire/pickle/reply-head.ts";
import type { UnableReason } from "../storage/witness.ts";
import type { Link } from "./link.ts";

/** What comes of it; one of the three, unless the link is over before. */
export interface Entered {
  entered(last: Tid): void;
  unable(reason: UnableReason): void;
  failed(reason: string): void;
}

/**
 * Registers with the storage, read-only, and asks for its last transaction, and whether it can be iterated over.
 */
export function enter(link: Link, { family }: Protocol, storage: string, entered: Entered): void {
  if (family === "new") {
    register(link, storage, entered);
    return;
  }
  // Asked for by all old clients before they register (ZEO 4.3.1 `ClientStorage.testConnection`).
  link.call("getAuthProtocol", [], (reply) => {
    if (reply.kind === "exception") entered.failed(reply.name);
    else if (reply.kind === "none") register(link, storage, entered);
    else entered.unable("authentication");
  });
}

function register(link: Link, storage: string, entered: Entered): void {
  link.call("register", [link.name(storage), true], (reply) => {
    if (reply.kind === "exception") refused(reply.name, entered);
    else look(link, entered);
  });
}

function refused(name: string, entered: Entered): void {
  // `register` of all versions raises it for an unknown storage, and for a second registration.
  if (isNamed(name, "ValueError")) entered.unable("no-storage");
  else if (isNamed(name, "AuthError")) entered.unable("authentication");
  else entered.failed(name);
}

function look(link: Link, entered: Entered): void {
  link.call("lastTransaction", [], (reply) => {
    const last = lastIn(reply);
    if (last === undefined) entered.failed(reasonOf(reply));
    else tryIterator(link, last, entered);
  });
}

/** An iterator that has nothing to give costs nothing. (From the first transaction on nothing has to be looked for.) */
function tryIterator(link: Link, last: Tid, entered: Entered): void {
  const nothing = tidBytes(NO_TID);
  link.call("iterator_start", [nothing, nothing], (reply) => {
    if (reply.kind === "exception" && lacks(reply.name)) {
      entered.unable("no-iteration");
      return;
    }
    if (reply.kind === "integer") link.oneWay("iterator_gc", [[reply.value]]);
    entered.entered(last);
  });
}

/** The tid that a reply of `lastTransaction` names; None is none. Undefined for what is no such reply. */
export function lastIn(reply: ReplyHead): Tid | undefined {
  if (reply.kind === "none") return NO_TID;
  return reply.kind === "id" ? readTid(reply.id) : undefined;
}

export function reasonOf(reply: ReplyHead): string {
  return reply.kind === "exception" ? reply.name : "another reply";
}

/** Storages have no `iterator` (AttributeError), or one that says so. Anything else may be another thing the next time. */
function lacks(name: string): boolean {
  return ["AttributeError", "NotImplementedError", "Unsupported"].some((wanted) => isNamed(name, wanted));
}

/** The modules of exceptions have other names from version to version. */
function isNamed(name: string, wanted: string): boolean {
  return name === wanted || name.endsWith(`.${wanted}`);
}
