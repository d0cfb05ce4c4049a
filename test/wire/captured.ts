import { readdirSync, readFileSync } from "node:fs";
import type { Codec } from "../../src/wire/codec.ts";
import { msgpackCodec } from "../../src/wire/msgpack-codec.ts";
import { pickleCodec } from "../../src/wire/pickle-codec.ts";

const FOLDER = new URL("../fixtures/captures/", import.meta.url);

/** One frame of recorded traffic, without its length. */
export interface CapturedFrame {
  readonly file: string;
  /** Line in the file, from 1. */
  readonly line: number;
  readonly conn: number;
  readonly dir: "c>s" | "s>c";
  readonly payload: Buffer;
  /** So many bytes more followed, which were not kept. */
  readonly more: number;
  /** The encoding in force; undefined for the handshake itself. */
  readonly codec: Codec | undefined;
  /** Of the server: ZODB3 and ZEO 4. */
  readonly oldServer: boolean;
}

export const CAPTURES: readonly string[] = readdirSync(FOLDER)
  .filter((name) => name.endsWith(".jsonl"))
  .map((name) => name.slice(0, -".jsonl".length))
  .sort();

const GREETING = /^[ZM][0-9]{1,4}$/;
const PICKLED = /^Z(?:308|309|310|3101|4|5)$/;

const GARBAGE = Buffer.from("\x80\x03garbage", "latin1");

/** All frames of one recording, in order. What a client sent only to be refused is left out. */
export function readCapture(file: string): readonly CapturedFrame[] {
  const protocols = new Map<number, string>();
  const greeted = new Set<string>();
  const frames: CapturedFrame[] = [];
  const lines = readFileSync(new URL(`${file}.jsonl`, FOLDER), "utf8")
    .trimEnd()
    .split("\n");
  lines.forEach((text, index) => {
    const {
      conn,
      dir,
      hex,
      more = 0,
    } = JSON.parse(text) as {
      conn: number;
      dir: "c>s" | "s>c";
      hex: string;
      more?: number;
    };
    const payload = Buffer.from(hex, "hex");
    // The first frame each way is the handshake; the client's answer names the protocol. Some files number a second
    // connection like the first.
    const isHandshake = !greeted.has(`${conn} ${dir}`) || GREETING.test(payload.toString("latin1"));
    greeted.add(`${conn} ${dir}`);
    if (isHandshake && dir === "c>s") protocols.set(conn, payload.toString("latin1"));
    const protocol = protocols.get(conn) ?? "";
    if (payload.equals(GARBAGE)) return;
    let codec: Codec | undefined;
    if (!isHandshake && PICKLED.test(protocol)) codec = pickleCodec;
    if (!isHandshake && protocol === "M5") codec = msgpackCodec;
    const oldServer = protocol !== "Z5" && protocol !== "M5";
    frames.push({ file, line: index + 1, conn, dir, payload, more, codec, oldServer });
  });
  return frames;
}
