import { FROM_SERVER, type MessageCounts } from "../session/message-counts.ts";
import { METHODS, type Method } from "../wire/methods.ts";

/** What clients say, in few words. `verify`: what a client asks that comes to a storage, or comes back. */
export const CLIENT_CLASSES = ["load", "store", "commit", "verify", "other"] as const;
export type ClientClass = (typeof CLIENT_CLASSES)[number];

export const SERVER_CLASSES = ["reply", "invalidation", "other"] as const;

/** Of those whose sort does not say it. */
const BY_NAME: Readonly<Record<string, ClientClass>> = {
  load: "load",
  loadEx: "load",
  loadBefore: "load",
  loadSerial: "load",
  zeoLoad: "load",
  sendBlob: "load",
  storeBlobStart: "store",
  storeBlobChunk: "store",
  checkCurrentSerialInTransaction: "commit",
  verify: "verify",
  zeoVerify: "verify",
  endZeoVerify: "verify",
};

const BY_SORT: Readonly<Record<Method["sort"], ClientClass>> = {
  register: "verify",
  resume: "verify",
  last: "verify",
  begin: "commit",
  vote: "commit",
  finish: "commit",
  abort: "commit",
  store: "store",
  restore: "store",
  delete: "store",
  undo: "store",
  read: "load",
  other: "other",
};

const CLASSES: readonly ClientClass[] = METHODS.map(classOf);

export function classOf({ name, sort }: Method): ClientClass {
  return Object.hasOwn(BY_NAME, name) ? (BY_NAME[name] as ClientClass) : BY_SORT[sort];
}

/** So many messages of clients were of each class. */
export function byClientClass({ fromClients }: MessageCounts): Record<ClientClass, number> {
  const sums = { load: 0, store: 0, commit: 0, verify: 0, other: 0 };
  for (let index = 0; index < fromClients.length; index++) {
    sums[CLASSES[index] as ClientClass] += fromClients[index] as number;
  }
  return sums;
}

export function byServerClass({ fromServer }: MessageCounts): Record<(typeof SERVER_CLASSES)[number], number> {
  return {
    reply: fromServer[FROM_SERVER.reply] as number,
    invalidation: fromServer[FROM_SERVER.invalidation] as number,
    other: fromServer[FROM_SERVER.other] as number,
  };
}
