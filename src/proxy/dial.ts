import { connect, type Socket } from "node:net";
import type { Address } from "../config/address.ts";

/** A connected socket, not yet read from. Rejects with the system's error, after `timeoutMs`, or when aborted. */
export function dial({ host, port }: Address, timeoutMs: number, aborted: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, allowHalfOpen: true, noDelay: true, keepAlive: true });
    const timer = setTimeout(() => socket.destroy(new DialError("ETIMEDOUT")), timeoutMs);
    const abort = (): void => void socket.destroy(new DialError("ECANCELED"));
    if (aborted.aborted) abort();
    aborted.addEventListener("abort", abort);
    socket.once("error", reject);
    socket.once("close", () => {
      clearTimeout(timer);
      aborted.removeEventListener("abort", abort);
      reject(new DialError("ECONNABORTED"));
    });
    socket.once("connect", () => {
      clearTimeout(timer);
      aborted.removeEventListener("abort", abort);
      socket.removeAllListeners("error");
      socket.removeAllListeners("close");
      socket.on("error", () => undefined);
      resolve(socket);
    });
  });
}

/** What the system has no error for: codes as it has them. */
class DialError extends Error {
  readonly code: string;
  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

/**
 * Does the server answer? With `greeting` it must say something; without, a connection that it keeps for `graceMs` will
 * do (a TLS server waits for its client to speak). Never rejects; aborted, it does not.
 */
export async function answers(
  server: Address,
  {
    timeoutMs,
    graceMs,
    greeting,
  }: { readonly timeoutMs: number; readonly graceMs: number; readonly greeting: boolean },
  aborted: AbortSignal,
): Promise<boolean> {
  let socket: Socket;
  try {
    socket = await dial(server, timeoutMs, aborted);
  } catch {
    return false;
  }
  return new Promise((resolve) => {
    const end = (answer: boolean): void => {
      clearTimeout(timer);
      aborted.removeEventListener("abort", abort);
      socket.destroy();
      resolve(answer);
    };
    const abort = (): void => end(false);
    const timer = setTimeout(() => end(!greeting), greeting ? timeoutMs : Math.min(graceMs, timeoutMs));
    aborted.addEventListener("abort", abort);
    if (aborted.aborted) abort();
    socket.once("data", () => end(true));
    socket.once("end", () => end(false));
    socket.once("error", () => end(false));
  });
}
