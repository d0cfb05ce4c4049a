/** The two that a session is between. */
export type Party = "client" | "server";

/** What a connection can be told, beside bytes. */
export type ConnectionCommand =
  /** Read nothing from it until `resume`. */
  | "pause"
  | "resume"
  /** Close our half behind what was written; the other half stays open. */
  | "end"
  /** Close it at once, whatever was written. */
  | "destroy";

/** What the system knows of a connection that it has not told on its own. */
export interface Seen {
  /** Bytes that the network has taken, and that have not arrived. */
  readonly unacknowledged: number;
  /** The other end has closed its half, or all: perhaps behind bytes that were not read yet. */
  readonly hasLeft: boolean;
}

/** One connection as a session sees it: a socket in the proxy, a part of a simulated network in tests. */
export interface Connection {
  /** `address:port` of the other end. */
  readonly peer: string;
  /** Of a client: the address that it has come from, where that is known. */
  readonly host?: string | undefined;
  /** Bytes that were written and that the network has not taken yet. */
  readonly queuedBytes: number;
  /** Another number than before whenever the network has taken some of what was written. */
  readonly progress: number;
  /** Is the other end behind with reading? `drained` says when it is not any more. */
  readonly isBehind: boolean;
  /**
   * Writes behind what was written before; does nothing once it is closed or its half is ended. Bytes that were received
   * may be written as they are, before the `read` that handed them over returns: a transport that overwrites them then
   * copies here what it keeps.
   * @returns false when the other end is behind; then `left` is called when they have left, or never will. Else it may be
   */
  write(bytes: Buffer, left?: () => void): boolean;
  carryOut(command: ConnectionCommand): void;
  /** Asks the system. `told` is called at once or later; undefined where it does not tell. */
  ask(told: (seen: Seen | undefined) => void): void;
  /** From now on that one is told. Whoever takes a connection says this before anything else can happen to it. */
  handOver(handler: ConnectionHandler): void;
}

/** What a connection tells of itself. Nothing is told while a call of `Connection` runs. */
export interface ConnectionHandler {
  /** The bytes are the handler's only until it returns: what it keeps, it copies. */
  read(bytes: Buffer): void;
  /** The other end has closed its half; everything that it wrote has been read. */
  ended(): void;
  /** What was written has gone far enough: see `isBehind`. */
  drained(): void;
  /** Both halves are closed, and nothing more is told. Always comes, once; without `ended` before it by a reset, say. */
  closed(): void;
}
