import type { RawReason } from "../happening/happening.ts";
import type { Conversation } from "./conversation.ts";
import type { Handshake } from "./handshake.ts";
import type { Registration } from "./registration.ts";

/** What a session is at a time; docs/architecture.md has the table of what each event leads to in each of them. */
export type Life =
  /** The two sides name their protocols. */
  | { readonly is: "shaking"; readonly handshake: Handshake }
  /** The protocol is known, and nobody has registered. */
  | { readonly is: "open"; readonly talk: Conversation }
  | { readonly is: "registered"; readonly talk: Conversation; readonly registration: Registration }
  /** The server's connection has ended; what may still go out to the client goes out. */
  | { readonly is: "draining"; readonly talk: Conversation; readonly registration: Registration }
  /** The client has gone, or was given up; its server is read until the reply to its `tpc_finish`. */
  | { readonly is: "orphan"; readonly talk: Conversation; readonly registration: Registration }
  /** Nothing can be repaired: bytes pass as they are. */
  | { readonly is: "relayed"; readonly reason: RawReason }
  /** Nothing more is read or written; connections that are not closed yet are closing. */
  | { readonly is: "over" };
