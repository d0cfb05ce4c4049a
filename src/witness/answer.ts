import { protocolNamed, type Protocol } from "../wire/handshake.ts";

const Z5 = protocolNamed(Buffer.from("Z5"));

/**
 * What a server that greets with that protocol is answered; undefined: it has no iteration. An old one speaks no other name
 * than its own and those before it. A new one takes `Z5` whichever it announces (ZEO 5.2.1 and 6.2 `asyncio/server.py`,
 * `finish_connection`), and what applications put into a transaction's extension can't be sent in msgpack.
 */
export function answerTo(newest: Protocol): Protocol | undefined {
  // Iteration came with Z309, as versions went (ZODB3 3.9 `ZEO/StorageServer.py`).
  if (newest.family === "old") return newest.versions ? undefined : newest;
  return Z5;
}
