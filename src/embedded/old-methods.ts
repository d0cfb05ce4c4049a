import { tidBytes } from "../wire/ids.ts";
import { PyTuple } from "../wire/value.ts";
import type { Value } from "../wire/value.ts";
import type { Arguments } from "./arguments.ts";
import { StorageFault } from "./faults.ts";
import type { Methods } from "./method.ts";
import type { Session } from "./session.ts";
import { hasVersions } from "./style.ts";

const NO_VERSION = Buffer.alloc(0);

/** Calls that only old servers know: loads of the newest revision, and the check of a whole cache, oid by oid. */
export const oldMethods: Methods = {
  getAuthProtocol: () => null,

  load: (session, args) => new PyTuple(newest(session, args)),

  loadEx: (session, args) => {
    const found = newest(session, args);
    return new PyTuple(hasVersions(session.style) ? [...found, NO_VERSION] : found);
  },

  zeoLoad: (session, args) => new PyTuple([...newest(session, args), NO_VERSION, null, null]),

  getSerial: (session, args) => newest(session, args)[1] ?? null,

  /** Z308: oid, version, serial. */
  verify: (session, args) => {
    const oid = args.oid(0);
    const serial = args.bytes(hasVersions(session.style) ? 2 : 1);
    if (!isCurrent(session, oid, serial)) tellStale(session, hasVersions(session.style), oid);
    return null;
  },

  zeoVerify: (session, args) => {
    const oid = args.oid(0);
    if (!isCurrent(session, oid, args.bytes(1))) tellStale(session, true, oid);
    return null;
  },

  endZeoVerify: (session) => {
    session.link.sendOneWay("one-way", "endVerify", []);
    return null;
  },

  getExtensionMethods: () => new Map(),
  modifiedInVersion: () => NO_VERSION,
  versions: () => new PyTuple([]),
  versionEmpty: () => true,
};

function newest(session: Session, args: Arguments): Value[] {
  const hosted = session.registered;
  hosted.counters.loads += 1;
  const { data, serial } = hosted.storage.load(args.oid(0));
  return [data, tidBytes(serial)];
}

function isCurrent(session: Session, oid: Buffer, serial: Buffer): boolean {
  try {
    return tidBytes(session.registered.storage.getTid(oid)).equals(serial);
  } catch (error) {
    if (error instanceof StorageFault) return false;
    throw error;
  }
}

function tellStale(session: Session, pair: boolean, oid: Buffer): void {
  session.link.sendOneWay("one-way", "invalidateVerify", [pair ? new PyTuple([oid, NO_VERSION]) : oid]);
}
