/** Which client reaches which server without a proxy (measured); through the proxy it must be the same. */

import type { Peer } from "./peers.ts";

/**
 * Old clients reach old servers on the same Python. ZEO 5 clients on Python 3 also reach ZEO 4 on Python 3; ZEO 6
 * clients reach no old server, and no old client a new server. A ZEO 5.2.1 server on Python 2.7 is reached by its own
 * version only; that client is tried there alone.
 */
export function reaches(client: Peer, server: Peer): boolean {
  if (client.role === "server") return false;
  const sameMajor = client.python.split(".")[0] === server.python.split(".")[0];
  if (!sameMajor) return false;
  if (client.family === "old") return server.family === "old";
  if (server.family === "new") return true;
  // ZEO 5 still speaks Z4 (not from Python 2: its pickles are of protocol 3), ZEO 6 doesn't.
  return client.python !== "2.7" && client.name !== "zeo62-py312";
}
