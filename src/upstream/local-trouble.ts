// What keeps this machine from making a connection, and says nothing about the server: system codes.

/** Descriptors, memory, buffers. */
const SCARCE: ReadonlySet<string> = new Set(["EMFILE", "ENFILE", "ENOMEM", "ENOBUFS", "EAI_MEMORY"]);

/** Of a dial only: no port is free, no route can be kept, the name service does not answer. */
const DIALLING: ReadonlySet<string> = new Set(["EADDRNOTAVAIL", "EAGAIN", "EAI_AGAIN", "EAI_FAIL"]);

/** Of a listening address: it is not on this machine (yet), its name has no address (yet). */
const NOT_YET: ReadonlySet<string> = new Set(["EADDRNOTAVAIL", "ENOTFOUND", "EAI_AGAIN", "EAI_FAIL"]);

/** A dial that fails with this was not refused by anybody. */
export function isLocalTrouble(code: string): boolean {
  return SCARCE.has(code) || DIALLING.has(code);
}

/** Nothing can be opened at all. */
export function isScarcity(code: string): boolean {
  return SCARCE.has(code);
}

/** An address that can't be listened on for this may be there a little later, as on a machine that is starting. */
export function isWorthWaiting(code: string): boolean {
  return SCARCE.has(code) || NOT_YET.has(code);
}
