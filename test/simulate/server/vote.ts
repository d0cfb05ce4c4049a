import { NONE_SERIAL, type Request } from "../message.ts";
import type { ServerKind } from "../style.ts";
import type { Truth } from "../truth.ts";

export interface Conflict {
  readonly oid: number;
  /** 0: there is no such object. */
  readonly committed: number;
  readonly own: number;
}

/** What a transaction would do to the database as it is. */
export interface Voted {
  /** All that it changes. */
  readonly changed: readonly number[];
  /** Those that are no objects any more behind it. */
  readonly gone: readonly number[];
  readonly undone: readonly number[];
  /** What the server's message names. */
  readonly named: readonly number[];
  readonly stored: readonly number[];
  readonly conflicts: readonly Conflict[];
  readonly failed: boolean;
}

/** Does the stores, as a server does under the lock. */
export function evaluate(truth: Truth, kind: ServerKind, operations: readonly Request[]): Voted {
  const changed = new Set<number>();
  const gone = new Set<number>();
  const undone: number[] = [];
  const named: number[] = [];
  const stored: number[] = [];
  const conflicts = new Map<number, Conflict>();
  let failed = false;
  for (const op of operations) {
    const { oid, tid } = op;
    const current = truth.serial(oid);
    switch (op.kind) {
      case "store": {
        const own = tid === NONE_SERIAL ? 0 : tid;
        if (own === current) conflicts.delete(oid);
        else conflicts.set(oid, { oid, committed: current, own });
        changed.add(oid);
        stored.push(oid);
        gone.delete(oid);
        if (kind.isPatched || tid !== 0) named.push(oid);
        break;
      }
      case "restore":
        changed.add(oid);
        gone.delete(oid);
        break;
      case "delete":
        if (tid !== current || current === 0) conflicts.set(oid, { oid, committed: current, own: tid });
        changed.add(oid);
        gone.add(oid);
        break;
      case "check":
        if (tid !== current) conflicts.set(oid, { oid, committed: current, own: tid });
        break;
      case "undo": {
        const commit = truth.at(tid);
        if (commit === undefined || commit.oids.some((one) => truth.newest(one) !== tid || changed.has(one))) {
          failed = true;
          break;
        }
        for (const one of commit.oids) {
          if (truth.before(one, tid).serial === 0) gone.add(one);
          changed.add(one);
          undone.push(one);
          named.push(one);
        }
        break;
      }
      default:
    }
  }
  return {
    changed: [...changed],
    gone: [...gone],
    undone,
    named,
    stored,
    conflicts: [...conflicts.values()],
    failed,
  };
}
