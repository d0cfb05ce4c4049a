import { readlinkSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { Seen } from "../session/connection.ts";

// What the system keeps of each connection, and Node does not tell. Linux lists its TCP sockets in two files, one line each
// (proc_net_tcp.rst of the kernel's documentation): the state, in hexadecimal; tx_queue:rx_queue, the first one being what
// was handed to it and is not acknowledged; and, as the tenth field, the inode by which a descriptor names its socket. What
// was reset is not listed any more.

const FILES = ["/proc/self/net/tcp", "/proc/self/net/tcp6"];
/** TCP_CLOSE_WAIT, LAST_ACK, CLOSING, TIME_WAIT and CLOSE: the other end has closed its half (include/net/tcp_states.h). */
const LEFT = new Set(["06", "07", "08", "09", "0B"]);
const STATE_FIELD = 3;
const QUEUES_FIELD = 4;
const INODE_FIELD = 9;

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
      this.#answer(questions, await this.#lists());
    }
    this.#isReading = false;
  }

  #answer(questions: readonly Question[], texts: readonly string[]): void {
    const found = questions.map(({ inode }) => seenIn(texts, inode));
    if (found.some((seen) => seen !== undefined)) this.#isTrusted = true;
    for (const [i, question] of questions.entries()) {
      const seen = found[i];
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

function seenIn(texts: readonly string[], inode: string): Seen | undefined {
  for (const text of texts) {
    // The number may stand elsewhere, too.
    for (let at = text.indexOf(` ${inode} `); at !== -1; at = text.indexOf(` ${inode} `, at + 1)) {
      const line = text.slice(text.lastIndexOf("\n", at) + 1, text.indexOf("\n", at));
      const fields = line.trim().split(/\s+/);
      if (fields[INODE_FIELD] !== inode) continue;
      const unacknowledged = Number.parseInt(fields[QUEUES_FIELD] ?? "", 16);
      if (Number.isNaN(unacknowledged)) return undefined;
      return { unacknowledged, hasLeft: LEFT.has(fields[STATE_FIELD] ?? "") };
    }
  }
  return undefined;
}

/** This process's. One of the files may be missing: a system without IPv6, say. */
export const socketTable = new SocketTable(() =>
  Promise.all(FILES.map((path) => readFile(path, "latin1").catch(() => ""))),
);
