import type { Socket } from "node:net";
import { ProtocolError } from "../wire/errors.ts";
import { FrameAssembler, frameOf, FrameTooLong } from "./framing.ts";

const MAX_FRAME_BYTES = 256 * 1024 * 1024;

/** A socket that is being connected, and the event that says that it is. */
export interface BeingConnected {
  readonly socket: Socket;
  readonly ready: "connect" | "secureConnect";
}

/** A socket that carries whole payloads; the server's greeting is the first. */
export class ClientLink {
  readonly #socket: Socket;
  readonly #assembler = new FrameAssembler(MAX_FRAME_BYTES);
  readonly closed: Promise<void>;

  private constructor(socket: Socket, received: (payload: Buffer) => void, gone: () => void) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => {
      try {
        for (const payload of this.#assembler.push(chunk)) received(payload);
      } catch (error) {
        // Whatever it is that answers, it is no ZEO server.
        if (!(error instanceof ProtocolError || error instanceof FrameTooLong)) throw error;
        socket.destroy();
      }
    });
    socket.on("error", () => socket.destroy());
    this.closed = new Promise((resolve) => {
      socket.on("close", () => {
        gone();
        resolve();
      });
    });
  }

  /** Rejects when nothing listens there, or when there is no connection to `name` after `timeoutMs`. */
  static open(
    dial: () => BeingConnected,
    name: string,
    timeoutMs: number,
    received: (payload: Buffer) => void,
    gone: () => void,
  ): Promise<ClientLink> {
    return new Promise((resolve, reject) => {
      const { socket, ready } = dial();
      const timer = setTimeout(() => {
        socket.destroy(new Error(`no connection to ${name} in ${timeoutMs} ms`));
      }, timeoutMs);
      socket.once("error", (error) => {
        clearTimeout(timer);
        reject(error);
      });
      socket.once(ready, () => {
        clearTimeout(timer);
        resolve(new ClientLink(socket, received, gone));
      });
    });
  }

  send(payload: Buffer): void {
    if (this.#socket.writable) this.#socket.write(frameOf(payload));
  }

  /** Bytes as they are, without a length: for tests of bad input and of odd chunks. */
  sendRaw(bytes: Buffer): void {
    if (this.#socket.writable) this.#socket.write(bytes);
  }

  /** Reads nothing any more: a slow client. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** A half-close: says that no more comes, goes on reading. */
  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** With a reset instead of an orderly end. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }
}
