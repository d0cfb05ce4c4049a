import { afterEach, beforeEach, describe, expect, it, test, vi } from "vitest";
import { LineWriter } from "../../src/log/line-writer.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** A file that has so much room, or fails as the test says. */
class Disk {
  text = "";
  room = Number.POSITIVE_INFINITY;
  code = "ENOSPC";
  /** How often something was written, or tried to be. */
  tries = 0;
  /** The most bytes that were offered at once. */
  largest = 0;
  readonly broken: [number, string][] = [];
  readonly writer: LineWriter;

  constructor(maxWaitingBytes = 1000) {
    const write = (bytes: Buffer): number => {
      this.tries++;
      this.largest = Math.max(this.largest, bytes.length);
      if (this.room === 0) throw Object.assign(new Error(this.code), { code: this.code });
      const taken = bytes.subarray(0, this.room);
      this.room -= taken.length;
      this.text += taken.toString();
      return taken.length;
    };
    const onLost = (lines: number, code: string): void => this.writer.write(`lost ${lines} ${code}\n`);
    const onBroken = (lines: number, code: string): void => void this.broken.push([lines, code]);
    this.writer = new LineWriter({ write, onLost, onBroken }, maxWaitingBytes);
  }

  get lines(): string[] {
    return this.text.split("\n").slice(0, -1);
  }

  /** Lines of ten bytes. */
  writes(from: number, to: number): void {
    for (let n = from; n < to; n++) this.writer.write(`line ${String(n).padStart(4, "0")}\n`);
  }
}

const numbered = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, n) => `line ${String(from + n).padStart(4, "0")}`);

/** What a turn of the event loop has told is written. */
const turnEnds = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

const PASSING = ["ENOSPC", "EDQUOT", "EIO", "EFBIG", "EAGAIN", "EINTR", "ENOBUFS", "ENOMEM"];

describe("the lines of one turn of the event loop", () => {
  it("are one write at its end", async () => {
    const disk = new Disk(100_000);
    for (const from of [0, 100]) {
      disk.writes(from, from + 100);
      expect(disk.lines).toEqual(numbered(0, from));
      await turnEnds();
      expect(disk.lines).toEqual(numbered(0, from + 100));
    }
    expect(disk.tries).toBe(2);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("do not wait behind an urgent one: all that stands before it is written with it at once, in order", async () => {
    const disk = new Disk(100_000);
    disk.writes(0, 10);
    disk.writer.write("urgent\n", true);
    expect(disk.lines).toEqual([...numbered(0, 10), "urgent"]);
    expect(disk.tries).toBe(1);
    disk.writes(10, 20);
    expect(disk.lines).toHaveLength(11);
    await turnEnds();
    expect(disk.lines).toEqual([...numbered(0, 10), "urgent", ...numbered(10, 20)]);
    expect(disk.tries).toBe(2);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("are written before its end where they are many: none is lost, however little may be kept for a reader", async () => {
    const disk = new Disk(200_000);
    disk.writes(0, 10_000);
    expect(disk.lines).toEqual(numbered(0, disk.lines.length));
    expect(100_000 - disk.text.length).toBeLessThanOrEqual(64 * 1024);
    await turnEnds();
    expect(disk.lines).toEqual(numbered(0, 10_000));
    expect(disk.largest).toBeLessThanOrEqual(64 * 1024);
    const small = new Disk(105);
    small.writes(0, 1_000);
    await turnEnds();
    expect(small.lines).toEqual(numbered(0, 1_000));
  });

  it("are written where the writer ends before it does", async () => {
    const disk = new Disk();
    disk.writes(0, 10);
    expect(await disk.writer.end(1_000)).toBe(0);
    const other = new Disk();
    other.writes(0, 10);
    expect(other.writer.flushSync(1_000)).toBe(0);
    for (const { lines, tries } of [disk, other]) expect([lines, tries]).toEqual([numbered(0, 10), 1]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("a disk that is full for a moment", () => {
  test.each(PASSING)("(%s) loses no line that fits into what is kept, nor half of one", async (code) => {
    const disk = new Disk();
    Object.assign(disk, { room: 25, code });
    disk.writes(0, 50);
    await turnEnds();
    expect(disk.text).toBe("line 0000\nline 0001\nline ");
    await vi.advanceTimersByTimeAsync(5_000);
    disk.room = Number.POSITIVE_INFINITY;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(disk.lines).toEqual(numbered(0, 50));
    disk.writes(50, 51);
    await turnEnds();
    expect(disk.lines).toEqual(numbered(0, 51));
    expect(disk.broken).toEqual([]);
  });

  it("is tried ever more rarely, once a second at last; a slow reader all the time", async () => {
    const disk = new Disk();
    disk.room = 0;
    disk.writes(0, 1);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(disk.tries).toBeGreaterThan(55);
    expect(disk.tries).toBeLessThan(70);
    disk.code = "EAGAIN";
    disk.room = Number.POSITIVE_INFINITY;
    await vi.advanceTimersByTimeAsync(1_000);
    disk.room = 0;
    disk.writes(1, 2);
    await turnEnds();
    disk.tries = 0;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(disk.tries).toBe(50);
  });

  it("costs lines beyond what is kept; how many is told where they are missing", async () => {
    const disk = new Disk();
    disk.room = 0;
    disk.writes(0, 150);
    disk.room = 400;
    await vi.advanceTimersByTimeAsync(1_000);
    // More than half of it still waits: there is no place yet for the next one.
    disk.writes(150, 151);
    disk.room = 100;
    await vi.advanceTimersByTimeAsync(1_000);
    disk.writes(151, 153);
    disk.room = Number.POSITIVE_INFINITY;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(disk.lines).toEqual([...numbered(0, 100), "lost 51 ENOSPC", ...numbered(151, 153)]);
    disk.writes(153, 154);
    await turnEnds();
    expect(disk.lines.at(-1)).toBe("line 0153");
  });
});

describe("much that waits", () => {
  it("is not put together again for every try", async () => {
    const disk = new Disk(10_000_000);
    Object.assign(disk, { room: 0, code: "EAGAIN" });
    disk.writes(0, 50_000);
    await vi.advanceTimersByTimeAsync(1_000);
    disk.writes(50_000, 50_001);
    await vi.advanceTimersByTimeAsync(1_000);
    disk.room = Number.POSITIVE_INFINITY;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(disk.lines).toHaveLength(50_001);
    expect(disk.largest).toBeLessThanOrEqual(64 * 1024);
  });
});

describe("what can't pass", () => {
  test.each(["EPIPE", "EBADF", "ECONNRESET"])("(%s) ends the log, and is told once with what is lost", async (code) => {
    const disk = new Disk();
    Object.assign(disk, { room: 0, code: "EAGAIN" });
    disk.writes(0, 120);
    disk.code = code;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(disk.broken).toEqual([[120, code]]);
    disk.room = Number.POSITIVE_INFINITY;
    disk.writes(120, 121);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(disk.text).toBe("");
    expect(await disk.writer.end(1_000)).toBe(0);
    expect(disk.broken).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("the end", () => {
  it("writes what is kept and how many were lost, as soon as there is room", async () => {
    const disk = new Disk();
    disk.room = 0;
    disk.writes(0, 150);
    const ended = disk.writer.end(2_000);
    await vi.advanceTimersByTimeAsync(500);
    disk.room = Number.POSITIVE_INFINITY;
    await vi.advanceTimersByTimeAsync(200);
    expect(await ended).toBe(0);
    expect(disk.lines).toEqual([...numbered(0, 100), "lost 50 ENOSPC"]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("waits no longer than it may, and returns how many lines are missing", async () => {
    const disk = new Disk();
    disk.room = 25;
    disk.writes(0, 150);
    const ended = disk.writer.end(2_000);
    await vi.advanceTimersByTimeAsync(1_999);
    await vi.advanceTimersByTimeAsync(1);
    // Two were written; half of the third one is none.
    expect(await ended).toBe(148);
    expect(disk.writer.code).toBe("ENOSPC");
    expect(vi.getTimerCount()).toBe(0);
    expect(await disk.writer.end(2_000)).toBe(0);
  });

  it("waits on while something is taken, three times as long at most", async () => {
    const disk = new Disk(10_000);
    Object.assign(disk, { room: 0, code: "EAGAIN" });
    disk.writes(0, 50);
    const ended = disk.writer.end(2_000);
    disk.room = 10;
    await vi.advanceTimersByTimeAsync(1_999);
    disk.room = 10;
    await vi.advanceTimersByTimeAsync(1_999);
    disk.room = Number.POSITIVE_INFINITY;
    await vi.advanceTimersByTimeAsync(100);
    expect(await ended).toBe(0);
    expect(disk.lines).toEqual(numbered(0, 50));

    const slow = new Disk(10_000);
    Object.assign(slow, { room: 0, code: "EAGAIN" });
    slow.writes(0, 50);
    let missing: number | undefined;
    void slow.writer.end(2_000).then((lines) => (missing = lines));
    for (let n = 0; n < 5; n++) {
      slow.room = 10;
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await vi.advanceTimersByTimeAsync(1_000);
      expect(missing).toBeUndefined();
    }
    await vi.advanceTimersByTimeAsync(1_000);
    expect(missing).toBe(45);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("is the same where nobody can wait", () => {
    vi.useRealTimers();
    const disk = new Disk();
    disk.room = 25;
    disk.writes(0, 150);
    expect(disk.writer.flushSync(50)).toBe(148);
    const other = new Disk();
    other.room = 0;
    other.writes(0, 150);
    other.room = Number.POSITIVE_INFINITY;
    expect(other.writer.flushSync(50)).toBe(0);
    expect(other.lines).toEqual([...numbered(0, 100), "lost 50 ENOSPC"]);
  });

  it("counts a line that tells of lost ones as those, if it is lost itself", async () => {
    const disk = new Disk();
    disk.room = 0;
    disk.writes(0, 150);
    disk.room = 600;
    await vi.advanceTimersByTimeAsync(1_000);
    const ended = disk.writer.end(100);
    await vi.advanceTimersByTimeAsync(100);
    expect(disk.lines).toEqual(numbered(0, 60));
    expect(await ended).toBe(40 + 50);
  });
});
