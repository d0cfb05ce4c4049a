import type { Clock } from "../clock.ts";
import type { Address } from "../config/address.ts";
import { Greeting } from "../wire/greeting.ts";
import type { Found } from "./availability.ts";
import type { Dialled, Transport } from "./transport.ts";

/** What dialling a server needs. */
export interface Dialling {
  readonly transport: Transport;
  readonly clock: Clock;
  /** A dial that nobody has answered after so long has failed, with `ETIMEDOUT`. Asked for at each dial: it may change. */
  readonly timeoutMs: number;
}

/** @returns what cancels it */
export function dial(server: Address, { transport, clock, timeoutMs }: Dialling, dialled: Dialled): () => void {
  const cancelTimeout = clock.after(timeoutMs, () => {
    cancelDial();
    dialled.failed("ETIMEDOUT");
  });
  const cancelDial = transport.dial(server, {
    connected: (connection) => {
      cancelTimeout();
      dialled.connected(connection);
    },
    failed: (code) => {
      cancelTimeout();
      dialled.failed(code);
    },
  });
  return () => {
    cancelTimeout();
    cancelDial();
  };
}

/** A server that accepts, and stays silent and connected for so long, waits for its client to speak (TLS). */
const GRACE_MS = 1_000;

/**
 * Does the server answer? With `greeting` it must say something; without, a connection that it keeps for a while will do.
 * @returns what cancels it: then `found` is not called
 */
export function answers(
  server: Address,
  dialling: Dialling,
  greeting: boolean,
  found: (found: Found) => void,
): () => void {
  const speech = new Greeting();
  let hasSpoken = false;
  let cancel = dial(server, dialling, {
    connected: (connection) => {
      const end = (result?: Found): void => {
        cancel = () => undefined;
        cancelWait();
        connection.handOver(DEAF);
        connection.carryOut("destroy");
        if (result !== undefined) found(result);
      };
      const waitMs = greeting ? dialling.timeoutMs : Math.min(GRACE_MS, dialling.timeoutMs);
      const silent: Found = greeting ? { isUp: false, code: "silent" } : { isUp: true, greets: false };
      const cancelWait = dialling.clock.after(waitMs, () => end(hasSpoken ? { isUp: true, greets: true } : silent));
      cancel = () => end();
      connection.handOver({
        read: (bytes) => {
          hasSpoken = true;
          const greeted = speech.push(bytes);
          if (greeted.kind === "more") return;
          end({ isUp: true, greets: true, family: greeted.kind === "greeted" ? greeted.newest.family : undefined });
        },
        ended: () => end({ isUp: false, code: "ended" }),
        drained: () => undefined,
        closed: () => end({ isUp: false, code: "ended" }),
      });
    },
    failed: (code) => found({ isUp: false, code }),
  });
  return () => cancel();
}

/** Nobody wants to know any more. */
const DEAF = {
  read: (): void => undefined,
  ended: (): void => undefined,
  drained: (): void => undefined,
  closed: (): void => undefined,
};
