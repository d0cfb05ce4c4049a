import type { Connection, ConnectionHandler } from "../../src/session/connection.ts";
import { invalidationFrame } from "./answers.ts";
import { isInvalidation, readNamed } from "./checks/read.ts";
import { FrameReader } from "./frame-reader.ts";
import { kindNamed, styleOf } from "./style.ts";
import type { SubjectMaker } from "./subject.ts";

/** What a relay can do wrong. */
export type Flaw =
  | "has no flaw"
  | "keeps received bytes"
  | "changes a byte to the server"
  | "changes a byte to the client"
  | "loses a reply"
  | "swaps two replies"
  | "loses an invalidation"
  | "repeats an invalidation"
  | "names fewer oids"
  | "invents a tid"
  | "holds an invalidation back"
  | "moves invalidations ahead"
  | "writes another dialect"
  | "keeps the last reply"
  | "ends a session for nothing"
  | "leaves a timer"
  | "leaves a connection open";

/** From this frame of the server's on: behind the handshake and the verification. */
const FROM_FRAME = 6;

/** Changes a bit of the byte that stands so far from the end. */
function flip(bytes: Buffer, fromEnd: number): void {
  const at = bytes.length - fromEnd;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
}

/** A relay with one flaw: the checks must find each. */
export function broken(flaw: Flaw): SubjectMaker {
  return (surroundings) => {
    const { transport, clock, routes } = surroundings;
    let count = 0;
    const relay = (client: Connection, server: Connection): ConnectionHandler => {
      const frames = new FrameReader();
      let n = 0;
      let kept: Buffer | undefined;
      const write = (frame: Buffer): void => void client.write(frame);
      const pass = (frame: Buffer): void => {
        n++;
        const isLate = n > FROM_FRAME;
        const isTold = isInvalidation(frame);
        switch (flaw) {
          case "changes a byte to the client":
            if (isLate && !isTold) flip(frame, 4);
            return write(frame);
          case "loses a reply":
            return isLate && !isTold && count++ === 0 ? undefined : write(frame);
          case "swaps two replies":
            if (kept !== undefined) {
              write(frame);
              write(kept);
              kept = undefined;
            } else if (isLate && !isTold && !frame.includes("serialnos")) kept = Buffer.from(frame);
            else write(frame);
            return undefined;
          case "loses an invalidation":
            return isTold ? undefined : write(frame);
          case "repeats an invalidation":
            write(frame);
            return isTold ? write(frame) : undefined;
          case "holds an invalidation back":
            if (isTold && kept === undefined) kept = Buffer.from(frame);
            else {
              write(frame);
              if (kept !== undefined && !isTold) write(kept);
              if (!isTold) kept = undefined;
            }
            return undefined;
          case "moves invalidations ahead":
            // Of what waits for the next frame, the invalidation goes first.
            if (isTold || kept === undefined) {
              if (isTold) write(frame);
              else if (isLate) kept = Buffer.from(frame);
              else write(frame);
            } else {
              write(kept);
              kept = Buffer.from(frame);
            }
            return undefined;
          case "names fewer oids":
          case "invents a tid":
          case "writes another dialect":
            return write(isTold ? falsified(frame) : frame);
          case "keeps the last reply":
            if (kept !== undefined) write(kept);
            kept = isLate ? Buffer.from(frame) : undefined;
            if (!isLate) write(frame);
            return undefined;
          case "ends a session for nothing":
            write(frame);
            if (n === 20) client.carryOut("end");
            return undefined;
          default:
            return write(frame);
        }
      };
      return {
        read: (bytes) => {
          if (flaw === "keeps received bytes") {
            const view = bytes;
            clock.after(0, () => client.write(view));
          } else frames.push(bytes, (all, at, end) => (pass(Buffer.from(all.subarray(at, end))), true));
        },
        ended: () => client.carryOut("end"),
        drained() {},
        closed: () => {
          client.carryOut("end");
          server.carryOut("destroy");
        },
      };
    };
    const style = styleOf(kindNamed("ZEO 6"), "Z5");
    const falsified = (frame: Buffer): Buffer => {
      const named = readNamed(style, frame, 4);
      if (named === undefined) return frame;
      if (flaw === "names fewer oids") return invalidationFrame(style, named.tid, named.oids.slice(1), false);
      if (flaw === "invents a tid") return invalidationFrame(style, named.tid + 1, named.oids, false);
      return invalidationFrame({ ...style, isOneWayTrue: false }, named.tid, named.oids, false);
    };
    return {
      repairs: false,
      start() {
        for (const route of routes) {
          transport.listen(route.listen, {
            listening: () => undefined,
            failed: () => undefined,
            hindered: () => undefined,
            accepted(client) {
              let server: Connection | undefined;
              let n = 0;
              const cancel = transport.dial(route.server, {
                connected: (connection) => {
                  server = connection;
                  connection.handOver(relay(client, connection));
                },
                failed: () => client.carryOut("destroy"),
              });
              if (flaw === "leaves a timer") clock.after(1e9, () => undefined);
              client.handOver({
                read: (bytes) => {
                  const own = Buffer.from(bytes);
                  if (flaw === "changes a byte to the server" && n++ > 2) flip(own, 1);
                  server?.write(own);
                },
                ended: () => {
                  if (server === undefined) cancel();
                  client.carryOut(server === undefined ? "destroy" : "end");
                  if (flaw !== "leaves a connection open") server?.carryOut("end");
                },
                drained() {},
                closed: () => {
                  cancel();
                  if (flaw !== "leaves a connection open") server?.carryOut("destroy");
                },
              });
            },
          });
        }
      },
      stop() {},
      quit() {},
      check: () => undefined,
    };
  };
}
