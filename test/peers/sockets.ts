/** Small things about loopback sockets that servers and relays need. */

import { connect, type Socket } from "node:net";

export const LOOPBACK = "127.0.0.1";

/**
 * Breaks a connection off. One that is about to say its end can't be reset before it has: Node 20 then leaves its descriptor
 * open for good, the other side hears of an end and no more, and this process doesn't exit.
 */
export function reset(socket: Socket): void {
  const saysEnd = socket.writableEnded && !socket.writableFinished && socket.writableLength === 0;
  if (saysEnd) socket.once("finish", () => socket.resetAndDestroy());
  else socket.resetAndDestroy();
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

/** Does anybody listen there? */
export function accepts(place: { port: number; host: string } | { path: string }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(place);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
