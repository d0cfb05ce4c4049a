import type { End } from "./end.ts";
import type { Answer, Request } from "./message.ts";
import { Queue } from "./queue.ts";
import type { Style } from "./style.ts";
import type { Commit } from "./truth.ts";

/** Where it passes through, or would. */
export interface Through {
  readonly machine: number;
  readonly subject: number;
}

/** What one client and one server say to each other, and what is on its way: the world's view of one session. */
export class Link {
  readonly number: number;
  /** The client's number; negative for one on the server's own port. */
  readonly client: number;
  readonly isDirect: boolean;
  /** Written by the client, not yet read by the server. */
  readonly up = new Queue<Request>();
  /** Written by the server, not yet read by the client. */
  readonly down = new Queue<Answer>();
  style: Style | undefined;
  /** The history that its server has shown to it; a backup that is restored has another one. */
  commits: readonly Commit[] = NO_COMMITS;
  /** Those of them that were copied to below others. */
  lows: readonly Commit[] = NO_COMMITS;
  /** Such a one that its client must be told of; or the connection is ended. 0: there is none. */
  mustLearn = 0;
  generation = 0;
  /** Answers that its client does not get: the subject asks once more. */
  readonly swallowed: Answer[] = [];
  /** The invalidations that its client has read. */
  readonly told: { readonly tid: number; readonly oids: readonly number[] }[] = [];
  clientEnd: End | undefined;
  /** The subject has connected it to this. */
  serverEnd: End | undefined;
  readonly machine: number;
  /** The number of the subject that it runs through: no two have the same. */
  subject: number;
  readonly #through: Through;
  /** It is no client of a storage: its bytes are nobody's frames. */
  isRaw = false;
  /** All that it says. */
  rawSaid: Buffer = Buffer.alloc(0);
  /** Bytes of it can't be followed any more (garbage was written); nothing is judged. */
  isWild = false;
  /** It ended for an old server while its client had the lock: the hole that docs/ordering.md leaves open. */
  isHole = false;
  /** Its frames have MACs: nobody but the two can read or write any. */
  hasMacs = false;
  /** One of its frames is longer than the subject takes. */
  isTooLong = false;
  /** The server has closed or lost it, or the network has broken it. */
  isServerGone = false;
  /** The network has broken it somewhere. */
  isCut = false;
  /** Its client has stopped reading for so long that the subject may end it. */
  isStuck = false;
  /** A `tpc_finish` was sent, and its reply not read. */
  isFinishing = false;
  /** When its client began to dial. */
  dialledAt = 0;
  /** The server has read its `register`, and not refused it. */
  isRegistered = false;
  /** When its `register` was sent. */
  registeredAt = 0;

  constructor(number: number, client: number, isDirect: boolean, through: Through) {
    this.number = number;
    this.client = client;
    this.isDirect = isDirect;
    this.machine = through.machine;
    this.subject = through.subject;
    this.#through = through;
  }

  /** The one that was dialled may have ended meanwhile, and another one has accepted. */
  connected(): void {
    this.subject = this.#through.subject;
  }

  /** Nobody repairs anything for its client. */
  get isUnrepaired(): boolean {
    return this.isDirect || this.hasMacs;
  }
}

const NO_COMMITS: readonly Commit[] = [];
