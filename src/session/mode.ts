import type { Tid } from "../wire/ids.ts";
import type { FrameLimits } from "../wire/frame.ts";
import type { RawReason } from "../happening/happening.ts";
import type { Storage } from "../storage/storage.ts";
import type { Party } from "./connection.ts";
import type { Conversation } from "./conversation.ts";
import type { SessionHost } from "./host.ts";
import { JoiningToClient, JoiningToServer } from "./joining.ts";
import type { Lifetime } from "./lifetime.ts";
import { Observation, type Shadow } from "./observation.ts";
import type { Outlet } from "./outlet.ts";
import type { Registration } from "./registration.ts";
import { mayWait, standingOf, type Followed, type Standing } from "./standing.ts";
import { Turning } from "./turning.ts";

// Whether a session is repaired or observed, and how it goes from one to the other while its client is connected
// (docs/architecture.md, *Observed sessions*).

/** A server can tell of a commit a moment before it names it as its last transaction: it is asked again after so long. */
const AGAIN_MS = 10;
const MOST_TRIES = 100;

/** What it needs of the session. */
export interface ModeHost<Made extends Shadow> {
  readonly host: SessionHost<Made>;
  readonly lifetime: Lifetime;
  readonly outlet: Outlet;
  /** `address:port` */
  readonly client: string;
  readonly server: string;
  readonly limits: () => FrameLimits;
  /** From here on. */
  readonly talkFrom: (there: Followed) => Conversation;
  readonly place: (storage: Storage, talk: Conversation) => Registration;
  readonly follow: (talk: Conversation, registration: Registration) => void;
  /** Its client is read again. */
  readonly readOn: () => void;
  /** What goes wrong ends that session alone. */
  readonly safely: (work: () => void) => void;
  /** It is relayed, and nothing of it is repaired. */
  readonly report: (reason: RawReason) => void;
  /** That storage is not needed for it. */
  readonly left: (storage: Storage) => void;
}

export class Mode<Made extends Shadow> {
  readonly #session: ModeHost<Made>;
  #observation: Observation<Made> | undefined;
  #turning: Turning | undefined;

  constructor(session: ModeHost<Made>) {
    this.#session = session;
  }

  /** Are its bytes relayed as they come, and followed aside? */
  get isObserved(): boolean {
    return this.#observation !== undefined;
  }

  get shadow(): Shadow | undefined {
    return this.#observation?.shadow;
  }

  // --- what its connections tell ----------------------------------------------------------------------------------

  read(party: Party, bytes: Buffer): void {
    this.#observation?.read(party, bytes);
  }

  ended(party: Party): void {
    this.#observation?.ended(party);
  }

  closed(party: Party): void {
    this.#observation?.closed(party);
  }

  /** Something was read, all of it. */
  look(): void {
    this.#turning?.look();
  }

  over(): void {
    this.#notTurning();
    this.#notObserved();
  }

  // --- from one to the other --------------------------------------------------------------------------------------

  /** From now on. */
  observe(): void {
    const { host, lifetime, client, server } = this.#session;
    if (host.shadow === undefined) throw new Error("nobody observes here");
    this.#observation = new Observation(client, server, host.clock, host.shadow);
    lifetime.become({ is: "relayed", reason: "observe" });
  }

  /** From the next moment on at which nothing of it is on its way. */
  turnTo(to: "repair" | "observe"): void {
    this.#notTurning();
    if (to === "repair" ? !this.isObserved : !this.#isFollowed) return;
    this.#turning = to === "repair" ? this.#toRepair() : this.#toObserve();
    this.#turning.look();
  }

  /** Is it in the way? Whose end is near is never observed: what it is still to be told, or its commit, would be given up. */
  get #isFollowed(): boolean {
    const { is } = this.#session.lifetime.now;
    return is === "shaking" || is === "open" || is === "registered";
  }

  #toRepair(): Turning {
    const { host, left } = this.#session;
    let awaited: Storage | undefined;
    return this.#newTurning(
      () => this.shadow?.dropped,
      () => this.shadow?.mayWait === true,
      (there) => {
        if (there.is === "registered") {
          // What is in the storage is to be known before it joins, as before it registers.
          const storage = host.storages.get(there.storage, there.protocol.family);
          const turning = this.#turning;
          const isAsked = awaited === storage;
          awaited = storage;
          const then = (): void => (this.#turning === turning ? turning?.look() : left(storage));
          if (!isAsked && storage.waits(host.settings.name, then)) return;
        }
        this.#notTurning();
        this.#repair(there);
      },
    );
  }

  #toObserve(): Turning {
    const { lifetime, readOn } = this.#session;
    return this.#newTurning(
      () => (this.#isFollowed ? standingOf(lifetime.now, ({ isQuiet }) => isQuiet) : undefined),
      () => mayWait(lifetime.now),
      (there) => {
        const life = lifetime.now;
        const registration = "registration" in life ? life.registration : undefined;
        this.#notTurning();
        registration?.leave();
        this.observe();
        // Both have said something, though not since.
        lifetime.used("client");
        lifetime.used("server");
        this.#observation?.shadow.begin(there);
        readOn();
      },
    );
  }

  #newTurning(
    standing: () => Standing | undefined,
    mayWaitNow: () => boolean,
    turn: (there: Standing) => void,
  ): Turning {
    const { host, lifetime, readOn } = this.#session;
    const leaveUnread = (): void => lifetime.client.pause();
    return new Turning({ clock: host.clock, standing, mayWait: mayWaitNow, leaveUnread, readOn, turn });
  }

  #notTurning(): void {
    this.#turning?.stop();
    this.#turning = undefined;
  }

  #notObserved(): void {
    const observation = this.#observation;
    this.#observation = undefined;
    observation?.stop();
  }

  #repair(there: Standing): void {
    const { host, lifetime, talkFrom, readOn, report } = this.#session;
    this.#notObserved();
    switch (there.is) {
      case "relayed":
      case "lost": {
        const reason = there.is === "lost" ? "lost" : there.reason;
        lifetime.become({ is: "relayed", reason });
        report(reason);
        break;
      }
      case "open":
        lifetime.become({ is: "open", talk: talkFrom(there) });
        break;
      case "registered":
        lifetime.client.pause();
        this.#join(host.storages.get(there.storage, there.protocol.family), talkFrom(there), there.known);
        return;
    }
    readOn();
  }

  /** By a question in the place of `register`; its client's calls wait meanwhile. It was told of what lies up to `told`. */
  #join(storage: Storage, talk: Conversation, told: Tid): void {
    const { host, lifetime, outlet, limits, place, follow, readOn, safely } = this.#session;
    const toServer = new JoiningToServer(lifetime.server.connection);
    let { stamp } = storage.ledger;
    let registration = place(storage, talk);
    let tries = 1;
    const isHere = (): boolean => {
      const life = lifetime.now;
      return life.is === "registered" && life.registration === registration;
    };
    const askAgain = (): void => {
      tries++;
      ({ stamp } = storage.ledger);
      registration = place(storage, talk);
      registration.ask();
    };
    // The same for all of its questions: of what it is being told when one is asked it sees the end.
    const toClient = new JoiningToClient(talk, outlet, told, {
      joined: (last) => {
        registration.joined(last, stamp, host.clock.now());
        if (!isHere()) return;
        toServer.over();
        follow(talk, registration);
        readOn();
        safely(() => talk.clientFrames.again());
      },
      again: () => {
        host.clock.after(AGAIN_MS, () => {
          if (!isHere()) return;
          registration.leave();
          if (tries < MOST_TRIES) safely(askAgain);
          else safely(() => this.#giveUpJoining(talk));
        });
      },
      failed: (end) => registration.refused(end),
    });
    talk.continueWith({ toServer, toClient }, limits());
    registration.ask();
  }

  /** What both have said, and nobody has passed on yet, goes first. */
  #giveUpJoining({ clientFrames, serverFrames }: Conversation): void {
    clientFrames.turnRaw();
    serverFrames.turnRaw();
    this.#repair({ is: "lost" });
  }
}
