import { readlinkSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { Seen } from "../session/connection.ts";
import { codeOf } from "./system-error.ts";

// What the system keeps of each connection, and Node does not tell. Linux lists its TCP sockets in two files, one line each
// (proc_net_tcp.rst of the kernel's documentation): the state, in hexadecimal; tx_queue:rx_queue, the first one being what
// was handed to it and is not acknowledged; and, as the tenth field, the inode by which a descriptor names its socket. What
// was reset is not listed any more.

const FILES = ["/proc/self/net/tcp", "/proc/self/net/tcp6"];
/** TCP_CLOSE_WAIT, LAST_ACK, CLOSING, TIME_WAIT and CLOSE: the other end has closed its half (include/net/tcp_states.h). */
const LEFT = new Set(["06", "07", "08", "09", "0B"]);
/** Number, addresses, state, tx_queue:rx_queue, timer, retransmissions, user, timeout, inode. */
const LINE = /^ *\d+: \S+ \S+ ([0-9A-F]{2}) ([0-9A-F]+):\S+ \S+ \S+ +\d+ +\d+ (\d+) /gm;

interface Question {
  readonly inode: string;
  /** It was not listed. The files are no snapshot: a socket may be passed over, once. */
  wasMissed: boolean;
  readonly told: (seen: Seen | undefined) => void;
}

/** Asked together, answered together: the files are read once for all who ask meanwhile. */
export class SocketTable {
  readonly #lists: () => Promise<readonly string[]>;
  #questions: Question[] = [];
  #isReading = false;
  /** A socket of this process was found: one that is not is closed. */
  #isTrusted = false;

  /** `lists`: the texts of the files. */
  constructor(lists: () => Promise<readonly string[]>) {
    this.#lists = lists;
  }

  /** Of the socket of that descriptor. `told`: called later; undefined where the system does not tell. */
  ask(descriptor: number, told: (seen: Seen | undefined) => void): void {
    const inode = inodeOf(descriptor);
    if (inode === undefined) process.nextTick(told, undefined);
    else this.#question({ inode, wasMissed: false, told });
  }

  #question(question: Question): void {
    this.#questions.push(question);
    if (!this.#isReading) void this.#read();
  }

  async #read(): Promise<void> {
    this.#isReading = true;
    while (this.#questions.length > 0) {
      const questions = this.#questions;
      this.#questions = [];
      // Out of descriptors, say. What is not listed in half of it may live all the same.
      const texts = await this.#lists().catch(() => undefined);
      if (texts === undefined) for (const { told } of questions) told(undefined);
      else this.#answer(questions, texts);
    }
    this.#isReading = false;
  }

  #answer(questions: readonly Question[], texts: readonly string[]): void {
    const found = seenIn(texts, new Set(questions.map(({ inode }) => inode)));
    if (found.size > 0) this.#isTrusted = true;
    for (const question of questions) {
      const seen = found.get(question.inode);
      if (seen !== undefined || !this.#isTrusted) question.told(seen);
      else if (question.wasMissed) question.told({ unacknowledged: 0, hasLeft: true });
      else this.#question({ ...question, wasMissed: true });
    }
  }
}

function inodeOf(descriptor: number): string | undefined {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${descriptor}`))?.[1];
  } catch {
    return undefined;
  }
}

/** Each socket that is listed and asked for. */
function seenIn(texts: readonly string[], asked: ReadonlySet<string>): Map<string, Seen> {
  const found = new Map<string, Seen>();
  for (const text of texts) {
    for (const [, state = "", queued = "", inode = ""] of text.matchAll(LINE)) {
      if (asked.has(inode)) found.set(inode, { unacknowledged: Number.parseInt(queued, 16), hasLeft: LEFT.has(state) });
    }
  }
  return found;
}

/** A file as it is now. Where there is none nothing is listed: a system without IPv6, say. */
async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, "latin1");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return "";
    throw error;
  }
}

/** This process's. */
export const socketTable = new SocketTable(() => Promise.all(FILES.map(textOf)));
