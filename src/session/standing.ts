import type { RawReason } from "../happening/happening.ts";
import type { Dialect } from "../wire/codec.ts";
import type { FrameStream } from "../wire/frame.ts";
import type { Protocol } from "../wire/handshake.ts";
import type { Tid } from "../wire/ids.ts";
import type { Life } from "./lives.ts";
import type { Registration } from "./registration.ts";

/** One whose messages are understood. */
export type Followed =
  | { readonly is: "open"; readonly protocol: Protocol }
  | {
      readonly is: "registered";
      readonly protocol: Protocol;
      readonly dialect: Dialect | undefined;
      /** The storage's name. */
      readonly storage: string;
      /** The highest tid that is known there: its client has been told of none above it. */
      readonly known: Tid;
    };

/** All that must be known of a session to go on with it in another way, at a moment at which nothing is on its way. */
export type Standing =
  | Followed
  /** Nobody can tell what its bytes mean. */
  | { readonly is: "relayed"; readonly reason: RawReason }
  /** It was followed, and could not be followed any further. */
  | { readonly is: "lost" };

/**
 * Where a session stands; undefined: something is on its way. Else both streams stand between two messages, no call waits for its
 * reply, and no transaction is open. `isQuiet`: nor is anything held for its client, or due to it.
 */
export function standingOf(life: Life, isQuiet: (registration: Registration) => boolean): Standing | undefined {
  switch (life.is) {
    case "shaking":
      return undefined;
    case "relayed":
      return { is: "relayed", reason: life.reason };
    case "draining":
    case "orphan":
    case "over":
      return { is: "lost" };
    case "open":
    case "registered": {
      const { calls, client, clientFrames, serverFrames } = life.talk;
      if (!stands(clientFrames) || !stands(serverFrames) || calls.size > 0) return undefined;
      // A `register` that is to be forwarded yet.
      if (clientFrames.handler.stillWaits?.() === true) return undefined;
      const { protocol, dialect } = client;
      if (life.is === "open") return { is: "open", protocol };
      const { registration } = life;
      if (registration.isCommitting || !isQuiet(registration)) return undefined;
      const { name, ledger } = registration.storage;
      return { is: "registered", protocol, dialect, storage: name, known: ledger.facts.known };
    }
  }
}

/** Will nothing be on its way soon, if nothing more comes from its client? */
export function mayWait(life: Life): boolean {
  if (life.is !== "registered") return life.is === "open" && stands(life.talk.clientFrames);
  return stands(life.talk.clientFrames) && !life.registration.isCommitting;
}

function stands(frames: FrameStream): boolean {
  return !frames.truncated && !frames.waits;
}
