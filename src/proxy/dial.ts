import { connect, type Socket } from "node:net";
import type { Address } from "../config/address.ts";

/** A connected socket, not yet read from. Rejects with the system's error, or after `timeoutMs`. */
export function dial({ host, port }: Address, timeoutMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, allowHalfOpen: true, noDelay: true, keepAlive: true });
    const timer = setTimeout(() => socket.destroy(new Error("no answer")), timeoutMs);
    socket.once("error", reject);
    socket.once("close", () => {
      clearTimeout(timer);
      reject(new Error("closed"));
    });
    socket.once("connect", () => {
      clearTimeout(timer);
      socket.removeAllListeners("error");
      socket.removeAllListeners("close");
      socket.on("error", () => undefined);
      resolve(socket);
    });
  });
}

/**
 * Does the server answer? With `greeting` it must say something; without, a connection that it keeps for `graceMs` will
 * do (a TLS server waits for its client to speak). Never rejects.
 */
export async function answers(server: Address, timeoutMs: number, graceMs: number, greeting: boolean): Promise<boolean> {
  let socket: Socket;
  try {
    socket = await dial(server, timeoutMs);
  } catch {
    return false;
  }
  return new Promise((resolve) => {
    const end = (answer: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => end(!greeting), greeting ? timeoutMs : Math.min(graceMs, timeoutMs));
    socket.once("data", () => end(true));
    socket.once("end", () => end(false));
    socket.once("error", () => end(false));
  });
}
