import { client, deliver, disconnect, type Violation } from "./client.ts";
import { hasOldClients, type Config } from "./config.ts";
import { LOAD, message, MessageKind, Vote, type Message } from "./message.ts";
import type { Proxy } from "./proxy.ts";
import { conn } from "./server.ts";
import { ClientPhase, TransactionPhase, type Conn, type World } from "./world.ts";

/**
 * Does at once what commutes with everything else: what is written to a client arrives, a client's `tpc_finish` and
 * its end are read. One delay matters: an old client that may be about to send `tpc_finish` has not yet read the
 * invalidation that follows its vote's reply.
 */
export function settleDown(c: Config, w: World, proxy: Proxy, note?: (text: string) => void): Violation | undefined {
  for (let again = true; again;) {
    again = false;
    for (let slot = 0; slot < w.conns.length; slot++) {
      const s = w.conns[slot];
      if (s === undefined) continue;
      if (s.foreign) {
        outside(w, s);
        continue;
      }
      const [next] = s.toClient;
      let v: Violation | undefined;
      if (next !== undefined && !delayed(c, w, s, next)) {
        note?.(`      client of session ${s.number} receives ${describeKind(next)}`);
        v = receive(c, w, slot, proxy);
      } else if (next === undefined && s.closing && s.alive) {
        note?.(`      the proxy closes the client's connection of session ${s.number}`);
        closeClient(w, s);
      } else if (s.finishSent && !s.closed) {
        note?.(`      the proxy forwards tpc_finish of session ${s.number}`);
        proxy.finish(slot);
      } else if (!s.alive && !s.dead) {
        note?.(`      the proxy sees the end of session ${s.number}`);
        v = proxy.clientGone(slot);
      } else continue;
      if (v !== undefined) return v;
      again = true;
    }
  }
  return undefined;
}

/** A message reaches the client. A ZEO 5 client that has verified its cache asks for something else at once (`get_info`). */
export function receive(c: Config, w: World, slot: number, proxy: Proxy): Violation | undefined {
  const s = conn(w, slot);
  const k = client(w, s.client);
  const before = k.phase;
  const v = deliver(c, w, slot, (m) => proxy.forward(slot, m));
  const isReady = k.phase === ClientPhase.ready && before !== ClientPhase.ready;
  if (v !== undefined || !c.lates || hasOldClients(c) || !isReady || s.halfClosed) return v;
  k.reads++;
  proxy.forward(slot, message(MessageKind.read, { b: LOAD }));
  return undefined;
}

/** The client on the server's own port takes everything at once. */
function outside(w: World, s: Conn): void {
  for (const m of s.toProxy) {
    const k = client(w, s.client);
    if (m.kind === MessageKind.finishReply) k.transaction = TransactionPhase.none;
    if (m.kind !== MessageKind.voteReply) continue;
    const failed = m.a === Vote.refused ? TransactionPhase.failed : TransactionPhase.none;
    k.transaction = m.a === Vote.granted ? TransactionPhase.voted : failed;
  }
  s.toProxy = [];
}

/** The proxy has closed the client's connection, all has been delivered. */
export function closeClient(w: World, s: Conn): void {
  client(w, s.client).ended = !s.halfClosed;
  disconnect(w, s.client);
  s.dead = true;
}

function delayed(c: Config, w: World, s: Conn, next: Message): boolean {
  if (s.alive && client(w, s.client).stalled) return true;
  return (
    s.alive &&
    !s.closing &&
    (next.kind === MessageKind.invalidation || next.kind === MessageKind.again) &&
    hasOldClients(c) &&
    client(w, s.client).transaction === TransactionPhase.voted
  );
}

function describeKind(m: Message): string {
  const names = Object.entries(MessageKind);
  return `${names.find(([, n]) => n === m.kind)?.[0] ?? "?"} T${m.a}${m.madeUp ? " (made up)" : ""}`;
}
