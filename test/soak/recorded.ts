import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT } from "../peers/install.ts";
import type { Random } from "../simulate/random.ts";
import { GARBAGE_STORAGE } from "./site.ts";

const FOLDER = join(PROJECT, "test", "fixtures", "captures");

/** They change what was committed long ago, or are told to nobody; no mutation makes one. */
const LEFT_OUT = ["pack", "undo", "restore", "deleteObject", "copyTransactions"];

/** What one client said on one connection, without the lengths; its protocol is the first. */
export type Conversation = readonly Buffer[];

const PROTOCOLS = { old: /^Z(?:4|3\d+)$/, new: /^[ZM]5$/ };

/** All recorded ones that such a server understands, with the storage for garbage instead of their own. */
export function conversations(family: "old" | "new"): readonly Conversation[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith(".jsonl"))
    .sort()
    .flatMap((name) => conversationsIn(readFileSync(join(FOLDER, name), "utf8")))
    .filter(([protocol]) => protocol !== undefined && PROTOCOLS[family].test(protocol.toString("latin1")));
}

function conversationsIn(text: string): Conversation[] {
  const found = new Map<number, Buffer[]>();
  for (const line of text.trimEnd().split("\n")) {
    const { conn, dir, hex } = JSON.parse(line) as { conn: number; dir: string; hex: string };
    if (dir !== "c>s") continue;
    const payload = Buffer.from(hex, "hex");
    if (LEFT_OUT.some((name) => payload.includes(name))) continue;
    const frames = found.get(conn) ?? [];
    found.set(conn, frames);
    frames.push(withStorage(payload));
  }
  return [...found.values()].filter((frames) => frames.length > 2);
}

/** The name is one character, and the only `1` behind the method's. */
function withStorage(payload: Buffer): Buffer {
  const at = payload.indexOf("register");
  const name = at < 0 ? -1 : payload.indexOf("1", at + "register".length);
  if (name < 0) return payload;
  const changed = Buffer.from(payload);
  changed.write(GARBAGE_STORAGE, name, "latin1");
  return changed;
}

/** They name the storage, and how many ids the server is to make. */
const UNCHANGED = ["register", "new_oids"];

/** Changes, removes, doubles or inserts some bytes. */
export function mutated(payload: Buffer, random: Random): Buffer {
  if (payload.length === 0 || UNCHANGED.some((name) => payload.includes(name))) return payload;
  let bytes = Buffer.from(payload);
  for (let i = random.between(1, 4); i > 0; i--) {
    const at = random.below(bytes.length);
    const length = random.between(1, 8);
    switch (random.below(5)) {
      case 0:
        bytes[at] = random.below(256);
        break;
      case 1:
        bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
        break;
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)]);
        break;
      default:
        bytes = Buffer.concat([bytes.subarray(0, at), randomBytes(random, length), bytes.subarray(at)]);
    }
    if (bytes.length === 0) break;
  }
  return bytes;
}

export function randomBytes(random: Random, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => random.below(256)));
}
