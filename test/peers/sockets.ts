/** Small things about loopback sockets that servers and relays need. */

import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo } from "node:net";

export const LOOPBACK = "127.0.0.1";

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, LOOPBACK);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** Resolves true when something at `port` accepts and says its first bytes; false when it refuses or stays silent. */
export function greets(port: number, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, LOOPBACK);
    const end = (answer: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => end(false), timeoutMs);
    socket.once("data", () => end(true));
    socket.once("error", () => end(false));
    socket.once("end", () => end(false));
  });
}
