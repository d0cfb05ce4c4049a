/** What must not be. */
export type FindingKind =
  /** Nothing said that the transaction exists. */
  | "missing"
  /** It was told of without some of its oids. */
  | "incomplete"
  /** A tid behind a higher one. */
  | "out of order"
  | "told twice"
  /** Its own commit. */
  | "told its own"
  /** A tid that nobody has committed. */
  | "nobody's"
  /** A reply shows a tid before it was told of it, or of an earlier one. */
  | "shown early"
  | "acknowledged and lost"
  /** What a cache holds is not what the file has at the cache's tid. */
  | "stale"
  /** A past revision is kept for a time in which there was another. */
  | "misplaced"
  /** With nobody writing any more, it does not hear of the last transaction. */
  | "not told at rest"
  | "stuck"
  /** Only where it is asked for: a session that the proxy has ended, and a `getInvalidations` that it has not answered. */
  | "disconnected"
  | "answered None";

export interface Finding {
  readonly kind: FindingKind;
  readonly who: string;
  readonly detail: string;
}
