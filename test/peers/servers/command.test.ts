/** The command as a process of its own, in front of real servers: its log against the truth, and its end. */

import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { PeerProcess } from "../client.ts";
import { install } from "../install.ts";
import { peerNamed } from "../peers.ts";
import { startProcess } from "../processes.ts";
import type { Running } from "../processes.ts";
import { startServer } from "../server.ts";
import { LOOPBACK } from "../sockets.ts";

const BIN = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..", "bin", "zeo-proxy");

interface LogLine {
  readonly msg: string;
  readonly [key: string]: unknown;
}

class Command {
  readonly #running: Running;
  readonly lines: LogLine[] = [];
  readonly #waiting: { test(line: LogLine): boolean; resolve(line: LogLine): void }[] = [];

  constructor(server: number) {
    this.#running = startProcess(
      process.execPath,
      [BIN, "run", "--listen", `${LOOPBACK}:0`, "--server", `${LOOPBACK}:${server}`],
      { cwd: dirname(BIN), env: process.env },
    );
    createInterface({ input: this.#running.child.stdout }).on("line", (text) => {
      const line = JSON.parse(text) as LogLine;
      this.lines.push(line);
      for (const waiting of this.#waiting) if (waiting.test(line)) waiting.resolve(line);
    });
  }

  /** The first line that is logged, or was, for which `test` holds. */
  line(test_: (line: LogLine) => boolean, what: string): Promise<LogLine> {
    const before = this.lines.find(test_);
    if (before !== undefined) return Promise.resolve(before);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`${what} was not logged; stderr: ${this.#running.errors()}`));
      }, 10_000);
      this.#waiting.push({
        test: test_,
        resolve(line) {
          clearTimeout(timer);
          resolve(line);
        },
      });
    });
  }

  async port(): Promise<number> {
    const line = await this.line((l) => l.msg === "listening", "the listening address");
    const address = String(line["address"]);
    return Number(address.slice(address.lastIndexOf(":") + 1));
  }

  /** Sends SIGTERM; the exit code. */
  async end(): Promise<number | null> {
    await this.#running.stop(15_000);
    return this.#running.child.exitCode;
  }
}

describe.each(["zeo4-py36", "zeo521-py37"])("zeo-proxy run, before %s", (name) => {
  test("logs each repair as the file says, and ends with 0", async (context) => {
    const result = await install(peerNamed(name));
    if (result.type === "missing") return context.skip(`${name}: ${result.why}`);
    const server = await startServer(result.installed);
    const command = new Command(server.port);
    try {
      const port = await command.port();
      const peers = await PeerProcess.start(result.installed, server.dir);
      const writer = await peers.open(port, { db: true });
      const observer = await peers.open(port, { db: true });
      const made = await writer.commit({ create: 3 });
      const mixed = await writer.commit({ create: 2, modify: made.created });
      await writer.begin();
      await writer.deleteObject(made.created[0] ?? "");
      await writer.vote();
      const deleted = await writer.finish();
      const changed = await writer.commit({ modify: made.created.slice(1) });
      expect(await observer.waitTold(changed.tid, 8000)).toBe(true);

      const repair = (tid: string): Promise<LogLine> =>
        command.line((l) => l.msg === "invalidation repaired" && l["tid"] === tid, `the repair of ${tid}`);
      const silent = server.installed.peer.family === "old" ? "synthesized" : "completed";
      const counts = (how: string): object => ({ completed: 0, synthesized: 0, [how]: 1 });
      expect(await repair(made.tid)).toMatchObject({
        storage: "1",
        repair: silent,
        created: 3,
        restored: 0,
        deleted: 0,
        ...counts(silent),
      });
      const line = await repair(mixed.tid);
      expect(line).toMatchObject({ repair: "completed", created: 2, deleted: 0, ...counts("completed") });
      expect([...(line["oids"] as string[])].sort()).toEqual([...mixed.created].sort());
      expect(await repair(deleted)).toMatchObject({ repair: silent, created: 0, deleted: 1, ...counts(silent) });
      const truth = await server.truth("1");
      const logged = command.lines.filter((l) => l.msg === "invalidation repaired");
      const named = new Map(truth.map((t) => [t.tid, t.oids]));
      for (const each of logged) {
        expect(named.get(String(each["tid"])), `tid ${String(each["tid"])}`).toEqual(
          expect.arrayContaining(each["oids"] as string[]),
        );
      }
      expect(
        logged.some((l) => l["tid"] === changed.tid),
        "nothing to repair, nothing logged",
      ).toBe(false);
      await writer.close();
      await observer.close();
      await peers.stop();
      expect(await command.end()).toBe(0);
    } finally {
      await command.end();
      await server.stop();
    }
  });
});
