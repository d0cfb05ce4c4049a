import { isToVerify } from "../../src/ledger/copied.ts";
import { settledBytes } from "../../src/ledger/history.ts";
import { owesAnybody } from "../../src/ledger/owed.ts";
import { client, clientName, missing, type Violation } from "./client.ts";
import type { Config } from "./config.ts";
import { conn } from "./server.ts";
import { ClientPhase, TransactionPhase, type Conn, type World } from "./world.ts";

/** What the ledger counts must fit. */
export function bookkeeping(w: World): Violation | undefined {
  const bytes = w.ledger.history.reduce((sum, settled) => sum + settledBytes(settled), 0);
  if (bytes !== w.ledger.historyBytes) return `3 the history has ${bytes} bytes and counts ${w.ledger.historyBytes}`;
  if (!w.ledger.mayOwe && owesAnybody(w.ledger)) return "3 something is held or due, and the ledger does not see it";
  for (const settled of w.ledger.history) {
    if (settled.owed?.size === 0) return `3 nobody is owed T${settled.tid}, and the ledger does not see it`;
    for (const session of settled.owed ?? []) {
      if (!w.ledger.accounts.has(session)) return `3 session ${session} is gone and still owed T${settled.tid}`;
    }
  }
  return undefined;
}

/** Checks a state in which nothing happens without a client's decision. */
export function rest(c: Config, w: World): Violation | undefined {
  for (const s of w.conns) {
    if (s === undefined || s.foreign || isStalled(w, s)) continue;
    const session = w.ledger.accounts.get(s.number);
    if (session !== undefined && !s.dead && session.outbox.length > 0) {
      return `4 stuck: a message is held for client ${clientName(s.client)} and nothing can release it`;
    }
    if (session !== undefined && session.heldBytes !== 0) return "3 an empty outbox with bytes in it";
  }
  for (let i = 0; i < c.clients; i++) {
    const v = clientAtRest(w, i);
    if (v !== undefined) return v;
  }
  for (const settled of w.ledger.history) {
    const owed = [...(settled.owed ?? [])].filter(
      (session) => !w.conns.some((s) => s?.number === session && isStalled(w, s)),
    );
    if (owed.length > 0) return `3 at rest ${owed.length} are still to be told of T${settled.tid}`;
  }
  // Only one who asks from below could still need it, and nobody can be answered from so far back.
  if (c.limboEnds && c.historyBytes === 0 && w.rare.proof !== 0 && w.ledger.limbo.length > 0)
    return `3 limbo is kept, though T${w.rare.proof} has shown what became of it`;
  return undefined;
}

/** Its client does not read: nobody waits for it, and it can wait. */
function isStalled(w: World, s: Conn): boolean {
  return s.alive && client(w, s.client).stalled;
}

function clientAtRest(w: World, i: number): Violation | undefined {
  const k = client(w, i);
  if (k.stalled) return undefined;
  const name = clientName(i);
  if (k.ended) return `4 client ${name} was ended and can't connect again`;
  if (k.phase === ClientPhase.down) return undefined;
  const { foreign, halfClosed } = conn(w, k.slot);
  if (foreign) return undefined;
  if (halfClosed) return `4 client ${name} has closed its half, and its connection stays`;
  if (k.phase !== ClientPhase.ready) return `4 client ${name} waits for ever (connecting)`;
  if (k.reads > 0 || k.transaction === TransactionPhase.finishing) return `4 client ${name} waits for ever for a reply`;
  if (k.transaction === TransactionPhase.voting && !othersVote(w))
    return `4 client ${name} waits for ever for its vote`;
  if (missing(w, k.last, w.last, k.ahead)) return `1 at rest client ${name} is at T${k.last}, the server at T${w.last}`;
  if (k.transaction === TransactionPhase.voted && isToldLate(w, conn(w, k.slot))) return undefined;
  const stale = k.stale & ~w.rare.open & ~(isToEnd(w, conn(w, k.slot)) ? w.rare.copied : 0);
  if (stale !== 0) return `1 at rest client ${name} is at T${k.last} and does not know of ${tids(stale)}`;
  return undefined;
}

/** It has still to hear of what came late: once its client has finished, or aborted, which is up to that. */
function isToldLate({ ledger }: World, { number }: Conn): boolean {
  return ledger.accounts.get(number)?.late !== undefined;
}

/** It is ended at a later commit, for what was copied: until then the server may name that as its last transaction. */
function isToEnd({ ledger }: World, { number }: Conn): boolean {
  const account = ledger.accounts.get(number);
  return account !== undefined && isToVerify(ledger, account);
}

/** Does a client that is alive have the lock? Then it is up to it. */
function othersVote(w: World): boolean {
  const s = w.conns[w.lock];
  if (s === undefined || !s.alive) return false;
  const k = client(w, s.client);
  if (k.stalled) return true;
  const decides = k.transaction === TransactionPhase.voted || k.transaction === TransactionPhase.failed;
  return w.conns[k.slot] === s && decides;
}

function tids(set: number): string {
  const names: string[] = [];
  for (let t = 1; t < 32; t++) if ((set & (1 << t)) !== 0) names.push(`T${t}`);
  return names.join(", ");
}
