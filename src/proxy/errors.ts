/** A listening address that can't be bound: in use, not on this machine, not permitted. */
export class ListenError extends Error {
  override readonly name = "ListenError";
  /** The system's: `EADDRINUSE`, `EADDRNOTAVAIL`, `EACCES`, ... */
  readonly code: string;
  constructor(upstream: string, address: string, code: string, options: { cause: unknown }) {
    super(`upstream ${upstream}: can't listen on ${address}: ${REASONS.get(code) ?? code}`, options);
    this.code = code;
  }
}

/** A host name that can't be resolved. */
export class ResolveError extends Error {
  override readonly name = "ResolveError";
  /** The system's: `ENOTFOUND`, `EAI_AGAIN`, ... */
  readonly code: string;
  constructor(upstream: string, host: string, code: string, options: { cause: unknown }) {
    super(`upstream ${upstream}: can't resolve ${host}: ${REASONS.get(code) ?? code}`, options);
    this.code = code;
  }
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ["EADDRINUSE", "the address is in use"],
  ["EADDRNOTAVAIL", "this machine has no such address"],
  ["EACCES", "not permitted"],
  ["ENOTFOUND", "no such name"],
  ["EAI_AGAIN", "the name service does not answer"],
]);
