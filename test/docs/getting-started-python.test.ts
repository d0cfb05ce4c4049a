import { once } from "node:events";
import { readFileSync } from "node:fs";
import { describe, expect, it, onTestFinished } from "vitest";
import { createProxy } from "../../src/index.ts";
import { install, type Installed } from "../peers/install.ts";
import { peerNamed } from "../peers/peers.ts";
import { startPython } from "../peers/processes.ts";
import { startServer } from "../peers/server.ts";

/* What docs/getting-started.md shows, with real servers and clients: its script, its output, its piece of a zope.conf. */

const text = readFileSync("docs/getting-started.md", "utf8");

interface Site {
  readonly installed: Installed;
  readonly server: number;
  readonly proxy: number;
}

/** A server of that release, and a proxy before it. */
async function site(name: string): Promise<Site | string> {
  const found = await install(peerNamed(name));
  if (found.type === "missing") return found.why;
  const { installed } = found;
  const server = await startServer(installed);
  onTestFinished(() => server.stop());
  const upstream = { name: "main", listen: "127.0.0.1:0", server: `127.0.0.1:${server.port}` };
  const proxy = createProxy({ upstreams: [upstream] });
  await proxy.start();
  onTestFinished(() => proxy.stop());
  const address = proxy.stats().upstreams[0]?.listen ?? "";
  return { installed, server: server.port, proxy: Number(address.split(":")[1]) };
}

/** What Python writes, until it ends by itself, and well. */
async function output({ installed }: Site, ...args: readonly string[]): Promise<string> {
  const running = startPython(installed, args, { cwd: process.cwd() });
  onTestFinished(() => running.stop(0));
  let written = "";
  running.child.stdout.on("data", (chunk: Buffer) => {
    written += chunk.toString();
  });
  const [status] = (await once(running.child, "close")) as [number | null];
  expect(status, running.errors()).toBe(0);
  return written;
}

/** The indented piece that begins with a line, as it is without its indent. */
function pieceFrom(begin: string): string {
  const lines = text.split("\n");
  const first = lines.findIndex((line) => line.trim() === begin);
  const indent = lines[first]?.match(/^ */)?.[0] ?? "";
  const rest = lines.slice(first);
  const length = rest.findIndex((line) => !line.startsWith(indent));
  return rest
    .slice(0, length)
    .map((line) => line.slice(indent.length))
    .join("\n");
}

/** What docs/told.py says, as the document shows it behind a line that begins so. */
function shownBehind(heading: string): string[] {
  const [, behind = ""] = text.split(`\n${heading}`);
  const lines = behind.split("\n").filter((line) => /^ {4}(?:created|deleted) /.test(line));
  return lines.slice(0, 2).map((line) => line.trim());
}

describe.each([
  ["zeo62-py312", "With ZEO 6"],
  ["zeo521-py37", "With an unpatched server"],
  ["zeo4-py36", undefined], // too old for the script
])("getting started, before %s", (peer, heading) => {
  it("shows what happens there", { timeout: 180_000 }, async (context) => {
    const ports = await site(peer);
    if (typeof ports === "string") return context.skip(ports);
    if (heading !== undefined) {
      const said = await output(ports, "docs/told.py", String(ports.server), String(ports.proxy));
      expect(said.trimEnd().split("\n")).toEqual(shownBehind(heading));
    }
    const piece = pieceFrom("<zodb_db main>");
    expect(piece).toContain("server 127.0.0.1:9100");
    // Zope's own schema has zodb_db, which is ZODB's zodb and a place to mount it at.
    const zodb = piece
      .replaceAll("zodb_db", "zodb")
      .replace(/^ *mount-point .*\n/m, "")
      .replace("127.0.0.1:9100", `127.0.0.1:${ports.proxy}`);
    const open = "import sys, ZODB.config; print(list(ZODB.config.databaseFromString(sys.argv[1]).open().root()))";
    const roots = heading === undefined ? "[]" : "['told']";
    expect(await output(ports, "-c", `${open}; import os; sys.stdout.flush(); os._exit(0)`, zodb)).toBe(`${roots}\n`);
  });
});
