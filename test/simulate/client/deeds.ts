import { NEWEST } from "../frame-writer.ts";
import { DEEDS, type Deed } from "../mix.ts";
import type { ClientConn } from "./conn.ts";

const PLAIN = ["ping", "new_oids", "getSize", "get_info", "getExtensionMethods"];

/** What a client that is ready does next. */
export function deed(conn: ClientConn): void {
  const { client, mix } = conn;
  const { random } = client;
  if (conn.waiting > 12 + mix.burst) return;
  if (conn.transaction.isOpen && random.chance(0.5)) return;
  const what = choose(conn);
  if (what === undefined) return;
  client.scene.visits.count(`deed: ${what}`);
  switch (what) {
    case "load":
      load(conn, anyOid(conn));
      return;
    case "loadOld":
      loadBefore(conn, anyOid(conn), Math.max(1, client.cache.last - random.below(20)));
      return;
    case "lastTransaction":
      // A client may be another proxy.
      conn.send(conn.link.number % 3 === 0 ? conn.requests.question() : conn.requests.lastTransaction());
      return;
    case "plain":
      conn.send(conn.requests.plain(random.pick(PLAIN)));
      return;
    case "getTid":
      conn.send(conn.requests.getTid(anyOid(conn)));
      return;
    case "heartbeat":
      conn.send(conn.requests.heartbeat());
      return;
    case "burst":
      conn.together(() => {
        for (let i = random.between(2, mix.burst); i > 0; i--) read(conn);
      });
      return;
    case "sendBlob": {
      const oid = anyOid(conn);
      const serial = client.cache.serial(oid) ?? 0;
      if (serial !== 0) conn.send(conn.requests.sendBlob(oid, serial));
      return;
    }
    case "large":
      load(conn, random.below(Math.ceil(mix.objects / 11)) * 11 + 7);
      return;
    default:
      conn.transaction.begin(what);
  }
}

/** One of many that go out together. */
function read(conn: ClientConn): void {
  const { random, cache } = conn.client;
  const what = random.below(10);
  if (what < 6) load(conn, anyOid(conn));
  else if (what < 8) loadBefore(conn, anyOid(conn), Math.max(1, cache.last - random.below(20)));
  else if (what < 9) conn.send(conn.requests.lastTransaction());
  else conn.send(conn.requests.plain(random.pick(PLAIN)));
}

function choose(conn: ClientConn): Deed | undefined {
  const { client, mix } = conn;
  const { random } = client;
  let total = 0;
  for (const one of DEEDS) total += mix.deeds[one];
  if (total === 0) return undefined;
  let at = random.below(total);
  for (const one of DEEDS) {
    at -= mix.deeds[one];
    if (at < 0) return one;
  }
  return undefined;
}

/** Of one that may exist, or not; or of what somebody is just changing, where an answer can cross that. */
function anyOid(conn: ClientConn): number {
  const { random, server } = conn.client;
  if (conn.mix.faults.crossesCommit > 0 && server.changing.length > 0 && random.chance(0.5)) {
    return random.pick(server.changing);
  }
  return 1 + random.below(conn.mix.objects);
}

function load(conn: ClientConn, oid: number): void {
  const isNewStyle = conn.style.family === "new" || (conn.mix.newOnOld && conn.style.protocol === "Z4");
  if (isNewStyle) loadBefore(conn, oid, NEWEST);
  else conn.send(conn.requests.load(oid));
}

/** An oid and a tid in one number. */
export function loadKey(oid: number, before: number): number {
  return oid * 0x1_0000_0000 + before;
}

function loadBefore(conn: ClientConn, oid: number, before: number): void {
  const isNewStyle = conn.style.family === "new" || (conn.mix.newOnOld && conn.style.protocol === "Z4");
  const key = loadKey(oid, before);
  if (conn.loading.has(key)) return;
  conn.loading.add(key);
  conn.send(conn.requests.loadBefore(oid, before, isNewStyle));
}
