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

const HANDSHAKE = /^(?:[ZM][0-9]{1,4}|ruok)$/;

/** All frames of one recording, in order. */
export function readCapture(file: string): readonly CapturedFrame[] {
  const protocols = new Map<number, string>();
  const frames: CapturedFrame[] = [];
  const lines = readFileSync(new URL(`${file}.jsonl`, FOLDER), "utf8").trimEnd().split("\n");
  lines.forEach((text, index) => {
    const { conn, dir, hex, more = 0 } = JSON.parse(text) as {
      conn: number;
      dir: "c>s" | "s>c";
      hex: string;
      more?: number;
    };
    const payload = Buffer.from(hex, "hex");
    const greeting = payload.length < 8 ? payload.toString("latin1") : "";
    const isHandshake = HANDSHAKE.test(greeting);
    if (isHandshake && (dir === "c>s" || !protocols.has(conn))) protocols.set(conn, greeting);
    const protocol = protocols.get(conn) ?? "";
    let codec: Codec | undefined;
    if (!isHandshake && protocol.startsWith("Z")) codec = pickleCodec;
    if (!isHandshake && protocol.startsWith("M")) codec = msgpackCodec;
    const oldServer = protocol !== "Z5" && protocol !== "M5";
    frames.push({ file, line: index + 1, conn, dir, payload, more, codec, oldServer });
  });
  return frames;
}
