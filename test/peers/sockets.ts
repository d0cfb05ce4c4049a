/** Small things about loopback sockets that servers and relays need. */

import { connect } from "node:net";

export const LOOPBACK = "127.0.0.1";

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
