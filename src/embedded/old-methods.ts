import { tidBytes } from "../wire/ids.ts";
import { PyTuple } from "../wire/value.ts";
import type { Value } from "../wire/value.ts";
import type { Arguments } from "./arguments.ts";
import { StorageFault } from "./faults.ts";
import type { Methods } from "./method.ts";
import type { Caller } from "./caller.ts";
import { hasVersions } from "./style.ts";

const NO_VERSION = Buffer.alloc(0);

/** Calls that only old servers know: loads of the newest revision, and the check of a whole cache, oid by oid. */
export const oldMethods: Methods = {
  getAuthProtocol: () => null,

  load: (caller, args) => new PyTuple(newest(caller, args)),

  loadEx: (caller, args) => {
    const found = newest(caller, args);
    return new PyTuple(hasVersions(caller.style) ? [...found, NO_VERSION] : found);
  },

  zeoLoad: (caller, args) => new PyTuple([...newest(caller, args), NO_VERSION, null, null]),

  getSerial: (caller, args) => newest(caller, args)[1] ?? null,

  /** Z308: oid, version, serial. */
  verify: (caller, args) => {
    const oid = args.oid(0);
    const serial = args.bytes(hasVersions(caller.style) ? 2 : 1);
    if (!isCurrent(caller, oid, serial)) tellStale(caller, hasVersions(caller.style), oid);
    return null;
  },

  zeoVerify: (caller, args) => {
    const oid = args.oid(0);
    if (!isCurrent(caller, oid, args.bytes(1))) tellStale(caller, true, oid);
    return null;
  },

  endZeoVerify: (caller) => {
    caller.link.sendOneWay("one-way", "endVerify", []);
    return null;
  },

  getExtensionMethods: () => new Map(),
  modifiedInVersion: () => NO_VERSION,
  versions: () => new PyTuple([]),
  versionEmpty: () => true,
};

function newest(caller: Caller, args: Arguments): Value[] {
  const hosted = caller.registered;
  hosted.counters.loads += 1;
  const { data, serial } = hosted.storage.load(args.oid(0));
  return [data, tidBytes(serial)];
}

function isCurrent(caller: Caller, oid: Buffer, serial: Buffer): boolean {
  try {
    return tidBytes(caller.registered.storage.getTid(oid)).equals(serial);
  } catch (error) {
    if (error instanceof StorageFault) return false;
    throw error;
  }
}

function tellStale(caller: Caller, pair: boolean, oid: Buffer): void {
  caller.link.sendOneWay("one-way", "invalidateVerify", [pair ? new PyTuple([oid, NO_VERSION]) : oid]);
}
