/** A listening address that can't be bound, and won't by waiting: in use, not permitted. */
export class ListenError extends Error {
  override readonly name = "ListenError";
  /** The system's: `EADDRINUSE`, `EACCES`, ... */
  readonly code: string;
  /** `upstream`: undefined for the admin address. */
  constructor(upstream: string | undefined, address: string, code: string, options: { cause: unknown }) {
    super(
      `${upstream === undefined ? "admin" : `upstream ${upstream}`}: can't listen on ${address}: ${REASONS.get(code) ?? code}`,
      options,
    );
    this.code = code;
  }
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ["EADDRINUSE", "the address is in use"],
  ["EACCES", "not permitted"],
  ["ENOENT", "its folder is not there"],
  ["ENOTSOCK", "something that is no socket is there"],
  ["EPERM", "its owner or group can't be set by this process"],
]);
