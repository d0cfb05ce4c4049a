import { kindName } from "./proxy.ts";
import { Finish, LAST_TRANSACTION, LOAD, MessageKind, QUESTION, Vote, type Message } from "./message.ts";
import { clientName } from "./client.ts";
import type { Event } from "./events.ts";
import { Failure } from "./server.ts";
import type { World } from "./world.ts";

const READS: Readonly<Record<number, string>> = {
  [LAST_TRANSACTION]: "lastTransaction",
  [LOAD]: "load of an unchanged object",
  [QUESTION]: "the proxy's question",
};

const VOTES: Readonly<Record<number, string>> = {
  [Vote.refused]: "None after refused stores",
  [Vote.granted]: "granted",
  [Vote.exception]: "an exception",
  [Vote.conflicts]: "conflicts",
  [Vote.already]: "an exception: it votes already",
};

const FINISHES: Readonly<Record<number, string>> = {
  [Finish.committed]: "",
  [Finish.nothing]: "nothing committed, ",
  [Finish.thrown]: "an exception",
};

const FAILURES: Readonly<Record<number, string>> = {
  [Failure.thrown]: ", though it has committed and told the others",
  [Failure.thrownUntold]: ", though it has committed; the others are not told",
};

/** A message in words, as it stands in the queue of its sender. */
export function describeMessage(m: Message | undefined): string {
  switch (m?.kind) {
    case undefined:
      return "nothing";
    case MessageKind.register:
      return "register";
    case MessageKind.read:
      return READS[m.b] ?? "?";
    case MessageKind.getInvalidations:
      return `getInvalidations(T${m.a})`;
    case MessageKind.vote:
      return `tpc_begin${m.b === 0 ? "" : ` at T${m.b}`}, stores (${kindName(m.a)}), vote`;
    case MessageKind.abort:
      return "tpc_abort";
    case MessageKind.finish:
      return "tpc_finish";
    case MessageKind.end:
      return "the connection's end";
    case MessageKind.registerReply:
      return `register reply (T${m.a})`;
    case MessageKind.registerError:
      return "register refused";
    case MessageKind.readReply:
      return `reply to ${READS[m.b] ?? "?"}, computed at T${m.a}`;
    case MessageKind.invalidations:
      return `getInvalidations(T${m.b}) reply T${m.a}`;
    case MessageKind.voteReply:
      return `vote reply: ${VOTES[m.a] ?? "?"}${m.b === 0 ? "" : `, shows T${m.b}`}`;
    case MessageKind.finishReply:
      return `tpc_finish reply ${FINISHES[m.b] ?? "?"}${m.b === Finish.thrown ? "" : `T${m.a}`}`;
    case MessageKind.invalidation:
      return `invalidation of T${m.a}${m.madeUp ? " (made up)" : ""}`;
    case MessageKind.serialnos:
      return `serialnos with a conflict that shows T${m.a}`;
    case MessageKind.broken:
      return "the end of the connection";
    case MessageKind.resumed:
      return `getInvalidations(T${m.b}) answered up to T${m.a}`;
    case MessageKind.again:
      return `oids that came late, under T${m.a}`;
    case MessageKind.lock:
      return "the lock for the next";
    case MessageKind.halfClose:
      return "the end of the client's half";
    case MessageKind.voteAgain:
      return "vote, once more";
  }
}

/** An event in words, as it is about to happen in this world. */
export function describeEvent(w: World, e: Event): string {
  const s = w.conns[e.a];
  const who = s === undefined ? "?" : `${clientName(s.client)}/${s.number}`;
  const name = clientName(e.a);
  switch (e.type) {
    case "connect":
      return `${name} connects; register is forwarded`;
    case "begin":
      return `${name} begins (${kindName(e.b)}), stores and votes; forwarded`;
    case "copy":
      return `${name} begins (${kindName(e.b)}, copied), restores and votes; forwarded`;
    case "vote-again":
      return `${name} votes once more; forwarded`;
    case "half-close":
      return `${name} closes its half`;
    case "stall":
      return `${name} stops reading`;
    case "read-on":
      return `${name} reads again`;
    case "pass-end":
      return `proxy passes on the end of ${who}'s half`;
    case "finish":
      return `${name} sends tpc_finish`;
    case "abort":
      return `${name} aborts`;
    case "read":
      return `${name} sends lastTransaction; forwarded`;
    case "load":
      return `${name} sends a load of an unchanged object; forwarded`;
    case "disconnect":
      return `${name} disconnects`;
    case "forward-finish":
      return `proxy forwards tpc_finish of ${who}`;
    case "client-gone":
      return `proxy sees the end of ${who}`;
    case "proxy-reads":
      return `proxy reads for ${who}: ${describeMessage(s?.toProxy[0])}`;
    case "tick":
      return "a second passes";
    case "trim":
      return `the history is trimmed to ${e.a === 0 ? "nothing" : "its newest commit"}`;
    case "server":
      return `server does for ${who}: ${describeMessage(s?.toServer[0])}`;
    case "server-fails":
      return `server fails for ${who}: ${describeMessage(s?.toServer[0])}${FAILURES[e.b] ?? ""}`;
    case "server-skips": {
      const skipped = w.conns[e.b];
      const other = skipped === undefined ? "?" : `${clientName(skipped.client)}/${skipped.number}`;
      return `server does for ${who}: tpc_finish, but does not tell ${other}`;
    }
    case "server-delays": {
      const delayed = w.conns[e.b];
      const other = delayed === undefined ? "?" : `${clientName(delayed.client)}/${delayed.number}`;
      return `server does for ${who}: tpc_finish, and will tell ${other} later`;
    }
    case "late":
      return `server tells ${who} late: ${describeMessage(s?.late[0])}`;
    case "restore":
      return "the server starts again with a backup, all connections end";
    case "register-reply":
      return `server writes the register reply of ${who}`;
    case "grant":
      return `server gives the lock to ${who}`;
    case "grant-fails":
      return `server gives the lock to ${who}, the vote fails`;
    case "later":
      return `server's loop runs: ${describeMessage(w.later[0])}`;
    case "deliver":
      return `client of ${who} receives ${describeMessage(s?.toClient[0])}`;
    case "close-client":
      return `proxy closes the client's connection ${who}`;
    case "cut":
      return `the server's connection of ${who} breaks`;
    case "hang-up":
      return `the server closes the connection of ${who}`;
    case "witness-asks":
      return "the witness asks for the last transaction";
    case "witness-answered":
      return `server answers the witness: T${w.last}`;
    case "witness-reads":
      return `the witness reads: ${describeMessage(w.watch.toProxy[0])}`;
    case "witness-reads-back":
      return "the witness reads what the history does not reach";
    case "witness-down":
      return "the witness's connection breaks";
    case "witness-off":
      return "the witness is given up";
    case "witness-up":
      return `the witness registers at T${w.last}`;
    case "hold-over":
      return "who waits for the witness has waited long enough";
  }
}
