import type { Socket } from "node:net";

const SHARED_BYTES = 0x10_0000;
let shared = Buffer.allocUnsafe(SHARED_BYTES);

/** What a connection answers to one received chunk: gathered, and written at once. */
export class Replies {
  readonly #socket: Socket;
  #length = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Copies it behind what is gathered. */
  add(bytes: Buffer): void {
    if (this.#length + bytes.length > SHARED_BYTES) this.flush();
    if (bytes.length > SHARED_BYTES) this.#socket.write(bytes);
    else this.#length += bytes.copy(shared, this.#length);
  }

  /** `template` with the bytes from `start` to `end` of `id` in it, at `at`. */
  addFilled(template: Buffer, at: number, id: Buffer, start: number, end: number): void {
    if (this.#length + template.length > SHARED_BYTES) this.flush();
    template.copy(shared, this.#length);
    id.copy(shared, this.#length + at, start, end);
    this.#length += template.length;
  }

  flush(): void {
    if (this.#length === 0) return;
    this.#socket.write(shared.subarray(0, this.#length));
    this.#length = 0;
    // What the system has not taken yet must stay as it is.
    if (this.#socket.writableLength > 0) shared = Buffer.allocUnsafe(SHARED_BYTES);
  }
}
