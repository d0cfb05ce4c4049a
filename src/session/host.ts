import type { Clock } from "../clock.ts";
import type { Report } from "../happening/happening.ts";
import type { Memory } from "./memory.ts";
import type { Shadow, ShadowMaker } from "./observation.ts";
import type { MessageCounts } from "./message-counts.ts";
import type { Storages } from "../storage/storages.ts";

/** Read anew whenever they are needed: a reload writes other values into the same object. */
export interface SessionLimits {
  readonly frameBytes: number;
  readonly handshakeMs: number;
  readonly stalledMs: number;
}

export interface SessionSettings {
  /** The upstream's. */
  readonly name: string;
  readonly limits: SessionLimits;
  /** Close what can't be repaired, instead of relaying it. May change, like `name` and the limits. */
  readonly refuseUnknown: boolean;
}

/** What a session tells its upstream, which decides by it whether the server is down. */
export type SessionNews =
  /** The server has accepted and said nothing. */
  | "server-silent"
  /** The server has greeted a client that had said nothing. */
  | "greeted"
  /** The server has ended the connection before anyone else did. */
  | "server-ended"
  /** Both connections are closed. */
  | "closed";

/** What a session of that type needs of its upstream. */
export interface SessionHost<Session> {
  readonly settings: SessionSettings;
  readonly clock: Clock;
  readonly storages: Storages;
  readonly memory: Memory;
  readonly messages: MessageCounts;
  readonly report: Report;
  /** Of an observed session's shadow: nobody can be asked anything. */
  readonly isShadow?: boolean;
  /** Makes the shadow of a session that is observed; undefined: none ever is. */
  readonly shadow?: ShadowMaker<Session & Shadow>;
  /** Does the server speak first, as far as that is known? */
  serverGreets(): boolean;
  tell(session: Session, news: SessionNews): void;
}
