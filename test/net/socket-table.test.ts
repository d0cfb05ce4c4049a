import { readlinkSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { SocketConnection } from "../../src/net/socket-connection.ts";
import { SocketTable } from "../../src/net/socket-table.ts";
import type { Seen } from "../../src/session/connection.ts";
import { within } from "../proxy/peer.ts";
import { loopback, meanwhile } from "./loopback.ts";
import { Noted } from "./noted.ts";

const KIB = 1024;
/** More than is read of a connection at once: the rest is left unread when it is paused. */
const MORE = 80 * KIB;
const isLinux = process.platform === "linux";

const seen = (connection: SocketConnection): Promise<Seen | undefined> =>
  within(new Promise((told) => connection.ask(told)), "the system's answer");

/** Asks until the system says so. */
async function until(connection: SocketConnection, holds: (seen: Seen | undefined) => boolean): Promise<void> {
  while (!holds(await seen(connection))) await meanwhile();
}

describe.runIf(isLinux)("the system tells of a connection", () => {
  it("that is quiet: all has arrived, and the other end stays", async () => {
    const { connection } = await loopback();
    expect(await seen(connection)).toEqual({ unacknowledged: 0, hasLeft: false });
  });

  it("what has not arrived: less, when the other end reads a little, though nothing more is taken", async () => {
    const { connection, other } = await loopback();
    const noted = new Noted(connection);
    while (!noted.connection.isBehind) {
      connection.write(Buffer.alloc(256 * KIB));
      await meanwhile();
    }
    const before = (await seen(connection))?.unacknowledged ?? 0;
    expect(before).toBeGreaterThan(0);
    const { progress } = connection;
    other.on("readable", () => undefined);
    await until(connection, (now) => {
      other.read(64 * KIB);
      return (now?.unacknowledged ?? before) < before;
    });
    expect(connection.progress).toBe(progress);
  });

  it("that the other end has closed its half, or all, though nothing of it is read", async () => {
    for (const leaves of ["end", "destroy"] as const) {
      const { connection, other } = await loopback();
      const noted = new Noted(connection);
      connection.carryOut("pause");
      other.write(Buffer.alloc(MORE));
      await meanwhile();
      expect((await seen(connection))?.hasLeft).toBe(false);
      other[leaves]();
      await until(connection, (now) => now?.hasLeft === true);
      expect(noted.told).toEqual([]);
    }
  });

  it("that it was reset, though nothing of it is read", async () => {
    const { connection, other } = await loopback();
    const noted = new Noted(connection);
    connection.carryOut("pause");
    other.write(Buffer.alloc(MORE));
    await meanwhile();
    // That one of the process's own is listed proves that they are.
    await seen((await loopback()).connection);
    other.resetAndDestroy();
    await until(connection, (now) => now?.hasLeft === true);
    expect(noted.told).toEqual([]);
  });

  it("nothing, once it is closed here", async () => {
    const { connection } = await loopback();
    connection.carryOut("destroy");
    expect(await seen(connection)).toBe(undefined);
  });

  it("to all who ask at the same time", async () => {
    const two = [await loopback(), await loopback()];
    const answers = await Promise.all([...two, ...two].map(({ connection }) => seen(connection)));
    expect(answers).toEqual(Array.from({ length: 4 }, () => ({ unacknowledged: 0, hasLeft: false })));
  });
});

describe.runIf(isLinux)("where the system lists", () => {
  const HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
  const line = (inode: string, state: string, queued = "00000000"): string =>
    `   0: 0100007F:1F90 0100007F:C72E ${state} ${queued}:00000000 02:00002A34 00000000     0        0 ${inode} 2 000000004ff68305 20 8 0 12 -1`;
  const list = (...lines: readonly string[]): string => `${[HEAD, ...lines].join("\n")}\n`;

  /** A table of one socket; each time that it is read it has the next of these lists, and at last the last one. */
  async function listed(...times: readonly ((inode: string) => readonly string[])[]) {
    const { socket } = await loopback();
    const { fd } = (socket as unknown as { readonly _handle: { readonly fd: number } })._handle;
    const inode = /\d+/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[0] ?? "";
    let reads = 0;
    const table = new SocketTable(async () => times[Math.min(reads++, times.length - 1)]?.(inode) ?? []);
    const asked = (): Promise<Seen | undefined> => within(new Promise((told) => table.ask(fd, told)), "an answer");
    return { asked, reads: () => reads };
  }

  it("none of ours, nothing is known", async () => {
    for (const texts of [[], [""], [list(line("1", "01"))], ["nonsense 12 1 x"]]) {
      const { asked, reads } = await listed(() => texts);
      expect(await asked()).toBe(undefined);
      expect(reads()).toBe(1);
    }
  });

  it.each([
    ["01", false],
    ["04", false],
    ["05", false],
    ["06", true],
    ["07", true],
    ["08", true],
    ["09", true],
    ["0B", true],
  ])("one in the state %s, the other end has left: %s", async (state, hasLeft) => {
    const { asked } = await listed((inode) => [list(line("1", "02"), line(inode, state, "0001E240")), ""]);
    expect(await asked()).toEqual({ unacknowledged: 123_456, hasLeft });
  });

  it("one in the second file, and its number elsewhere in the first one", async () => {
    const { asked } = await listed((inode) => [
      list(line("1", "08", "00000001").replace("     0        0 ", `     0        ${inode} `)),
      list(line(inode, "01", "00000002")),
    ]);
    expect(await asked()).toEqual({ unacknowledged: 2, hasLeft: false });
  });

  it("one no more, it is closed: it may be passed over once", async () => {
    const there = (inode: string): string[] => [list(line(inode, "01"))];
    const missing = (): string[] => [list(line("1", "01"))];
    const once = await listed(there, missing, there);
    await once.asked();
    expect(await once.asked()).toEqual({ unacknowledged: 0, hasLeft: false });
    const gone = await listed(there, missing);
    await gone.asked();
    expect(await gone.asked()).toEqual({ unacknowledged: 0, hasLeft: true });
    expect(gone.reads()).toBe(3);
  });

  it("nothing that can be read, nothing is known, though it was before", async () => {
    const { asked } = await listed(
      (inode) => [list(line(inode, "01"))],
      () => {
        throw new Error("out of descriptors");
      },
    );
    expect(await asked()).toEqual({ unacknowledged: 0, hasLeft: false });
    expect(await asked()).toBe(undefined);
  });

  it("many, those who are asked for are found in one pass", async () => {
    const many = Array.from({ length: 20_000 }, (_, n) => line(`${n + 1}`, "01"));
    const { asked } = await listed((inode) => [list(...many, line(inode, "08"))]);
    expect(await Promise.all(Array.from({ length: 200 }, asked))).toEqual(
      Array.from({ length: 200 }, () => ({ unacknowledged: 0, hasLeft: true })),
    );
  });

  it("one in a way that nobody knows, nothing is known", async () => {
    const { asked } = await listed((inode) => [list(line(inode, "01", "?"))]);
    expect(await asked()).toBe(undefined);
  });

  it("one, whoever asks while the lists are read is answered by the next ones", async () => {
    const { asked, reads } = await listed((inode) => [list(line(inode, "01"))]);
    await Promise.all([asked(), asked(), asked()]);
    expect(reads()).toBe(2);
  });
});
