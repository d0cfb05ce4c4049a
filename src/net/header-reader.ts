import type { Socket } from "node:net";
import type { HeaderFault } from "../upstream/transport.ts";
import { MOST_HEADER_BYTES, readProxyHeader, type Source } from "./proxy-header.ts";
import { stopReading } from "./reading.ts";

/** What comes of a header that is waited for: one of them, once, and not while `readHeader` runs. */
export interface HeaderTold {
  /** The socket is paused, and what stands behind the header is the next that is read of it. `source`: see `HeaderReading`. */
  whole(source: Source | undefined): void;
  /** There is none. */
  lacking(fault: HeaderFault): void;
  /** It has left without a word. */
  gone(): void;
}

/**
 * Reads a PROXY header of a socket that was accepted, paused, and not read before; and of TLS, if that is to come, nothing yet.
 * Whoever is told does with the socket what follows. `ms`: so long the whole header may take.
 * @returns what cancels it
 */
export function readHeader(socket: Socket, ms: number, told: HeaderTold): () => void {
  let bytes: Buffer = Buffer.alloc(0);
  const timer = setTimeout(() => lacking(), ms);

  const stop = (): void => {
    clearTimeout(timer);
    socket.removeListener("data", read).removeListener("end", left).removeListener("close", left);
    stopReading(socket);
  };
  const lacking = (fault: HeaderFault = bytes.length === 0 ? "no-proxy-header" : "bad-proxy-header"): void => {
    stop();
    told.lacking(fault);
  };
  const left = (): void => {
    if (bytes.length > 0) {
      lacking();
      return;
    }
    stop();
    told.gone();
  };
  const read = (chunk: Buffer): void => {
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
    const reading = readProxyHeader(bytes.length > MOST_HEADER_BYTES ? bytes.subarray(0, MOST_HEADER_BYTES) : bytes);
    switch (reading.is) {
      case "unfinished":
        return;
      case "none":
        lacking("no-proxy-header");
        return;
      case "bad":
        lacking("bad-proxy-header");
        return;
      case "whole":
        stop();
        if (bytes.length > reading.length) socket.unshift(bytes.subarray(reading.length));
        told.whole(reading.source);
    }
  };

  socket.on("data", read).on("end", left).on("close", left);
  // What goes wrong with it closes it.
  socket.on("error", ignore);
  socket.resume();
  return stop;
}

function ignore(): void {
  // `close` follows.
}
