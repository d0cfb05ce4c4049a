import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:net";

/** Linux takes ports from 32768 on for connections that go out: one of those can be in use a moment later. */
const LOWEST = 15_000;
const HIGHEST = 32_000;
/**
 * Each process has so many of its own, and keeps the first of them occupied: somebody whose server is away for a moment does not
 * find another process in its place.
 */
const BLOCK = 100;

let block: Promise<number> | undefined;
let next = 0;

/** A port of the loopback that nobody uses at the moment; no other process that asks here gets it. */
export async function freePort(): Promise<number> {
  block ??= takeBlock();
  const first = await block;
  for (;;) {
    const port = first + 1 + (next++ % (BLOCK - 1));
    const server = await occupied(port);
    if (server === undefined) continue;
    server.close();
    await once(server, "close");
    return port;
  }
}

async function takeBlock(): Promise<number> {
  for (;;) {
    const first = randomInt(LOWEST / BLOCK, HIGHEST / BLOCK) * BLOCK;
    const guard = await occupied(first);
    guard?.unref();
    if (guard !== undefined) return first;
  }
}

/** Undefined: somebody else has it. */
async function occupied(port: number): Promise<Server | undefined> {
  const server = createServer().listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
    return server;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EADDRINUSE") return undefined;
    throw error;
  }
}
