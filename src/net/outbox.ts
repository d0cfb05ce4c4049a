import { WRITE_ROOM } from "./scratch.ts";

/** Where gathered bytes go. */
export interface Recipient {
  /** They are the recipient's until this returns. */
  send(bytes: Buffer): void;
}

/**
 * What is written while one event is worked on. Half of all that a message costs is the system's call, and the reader that it
 * wakes up: so what goes to one socket, piece behind piece, leaves in one write. The order stays as it was, from socket to
 * socket too: whoever is written to next lets everything before it leave first.
 */
export class Outbox {
  #isOpen = false;
  #recipient: Recipient | undefined;
  /** While it is the only one it is not copied. */
  #first: Buffer | undefined;
  #length = 0;

  open(): void {
    this.#isOpen = true;
  }

  close(): void {
    this.flush();
    this.#isOpen = false;
  }

  /**
   * The bytes must stay as they are until the event is over.
   * @returns false where they are to be sent by themselves, now: outside of an event, or more than there is room for
   */
  add(recipient: Recipient, bytes: Buffer): boolean {
    if (!this.#isOpen || bytes.length > WRITE_ROOM.length) {
      this.flush();
      return false;
    }
    if (this.#recipient !== recipient || this.#length + bytes.length > WRITE_ROOM.length) {
      this.flush();
      this.#recipient = recipient;
      this.#first = bytes;
      this.#length = bytes.length;
      return true;
    }
    if (this.#first !== undefined) {
      this.#first.copy(WRITE_ROOM);
      this.#first = undefined;
    }
    bytes.copy(WRITE_ROOM, this.#length);
    this.#length += bytes.length;
    return true;
  }

  /** Lets everything leave that is for that one, and what was written before it. */
  flushFor(recipient: Recipient): void {
    if (this.#recipient === recipient) this.flush();
  }

  flush(): void {
    const recipient = this.#recipient;
    if (recipient === undefined) return;
    const bytes = this.#first ?? WRITE_ROOM.subarray(0, this.#length);
    this.#recipient = undefined;
    this.#first = undefined;
    recipient.send(bytes);
  }
}

/** The process's. */
export const outbox = new Outbox();
