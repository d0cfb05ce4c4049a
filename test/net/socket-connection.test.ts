import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { SocketConnection } from "../../src/net/socket-connection.ts";
import { within } from "../proxy/peer.ts";
import { all, loopback, meanwhile, portOf } from "./loopback.ts";
import { Noted } from "./noted.ts";

const MIB = 1024 * 1024;

/** Writes until the network takes no more. */
async function fill({ connection }: Noted, written?: () => void): Promise<void> {
  for (let n = 0; n < 1_000; n++) {
    if (!connection.write(Buffer.alloc(MIB, 1), written)) {
      // What the system can still take, it takes in this turn of the loop.
      await meanwhile();
      if (connection.isBehind) return;
    }
  }
  throw new Error("the network takes everything");
}

describe.each(["shared", "node"] as const)("read by way of %s", (way) => {
  describe("what a connection tells", () => {
    it("is what it reads, then the other end's end, then that it is closed", async () => {
      const { connection, other } = await loopback(way);
      const noted = new Noted(connection);
      other.write("abc");
      other.end("def");
      await noted.hears("ended");
      expect(noted.bytes.toString()).toBe("abcdef");
      expect(noted.told).toEqual(["ended"]);
      connection.carryOut("end");
      await noted.hears("closed");
      await meanwhile();
      expect(noted.told).toEqual(["ended", "closed"]);
    });

    it("goes to nobody before it is handed over, and is not lost", async () => {
      const { connection, other } = await loopback(way);
      other.write("abc");
      await meanwhile();
      const noted = new Noted(connection);
      await noted.reads(3);
    });

    it("goes to one only: to whom it was handed over last", async () => {
      const { connection, other } = await loopback(way);
      const first = new Noted(connection);
      other.write("abc");
      await first.reads(3);
      const second = new Noted(connection);
      other.end("def");
      await second.hears("ended");
      connection.carryOut("end");
      await second.hears("closed");
      expect(first.bytes.toString()).toBe("abc");
      expect(first.told).toEqual([]);
      expect(second.bytes.toString()).toBe("def");
      expect(second.told).toEqual(["ended", "closed"]);
    });

    it("has the other end's address", async () => {
      const { connection, other } = await loopback(way);
      expect(connection.peer).toBe(`127.0.0.1:${other.localPort}`);
    });

    it.runIf(process.platform === "linux")(
      "has a word where the other end had gone before it was accepted",
      async () => {
        const server = createServer().listen(0, "127.0.0.1");
        onTestFinished(() => void server.close());
        await once(server, "listening");
        const accepted = once(server, "connection");
        const reset = `
      const socket = require("node:net").connect(${portOf(server.address())}, "127.0.0.1");
      socket.on("connect", () => socket.resetAndDestroy());
    `;
        // Nothing is accepted before the other process has ended.
        expect(spawnSync(process.execPath, ["-e", reset]).status).toBe(0);
        const [socket] = (await within(accepted, "a connection")) as [Socket];
        const noted = new Noted(new SocketConnection(socket));
        expect(noted.connection.peer).toBe("unknown");
        await noted.hears("closed");
      },
    );

    it("is nothing while one of its calls runs", async () => {
      const { connection, other } = await loopback(way);
      const noted = new Noted(connection);
      other.write("abc");
      other.end();
      await meanwhile();
      await fill(noted);
      let hasLeft = false;
      connection.write(Buffer.from("x"), () => (hasLeft = true));
      expect(hasLeft).toBe(false);
      const before = [...noted.told];
      connection.carryOut("destroy");
      expect(noted.told).toEqual(before);
      await noted.hears("closed");
      expect(hasLeft).toBe(true);
    });
  });

  describe("a connection that is closed", () => {
    it("by a reset tells it once, without an end", async () => {
      const { connection, other } = await loopback(way);
      const noted = new Noted(connection);
      other.resetAndDestroy();
      await noted.hears("closed");
      await meanwhile();
      expect(noted.told).toEqual(["closed"]);
    });

    it("by a reset tells it at once, before anybody else can be told anything and write to it in vain", async () => {
      const { connection, socket, other } = await loopback(way);
      const noted = new Noted(connection);
      const atError = new Promise((done) => socket.on("error", () => done([...noted.told])));
      other.resetAndDestroy();
      expect(await within(atError, "its error")).toEqual(["closed"]);
    });

    it("by a reset behind its end tells it as soon as something is written", async () => {
      const { connection, other } = await loopback(way);
      const noted = new Noted(connection);
      other.end("abc");
      await noted.hears("ended");
      other.resetAndDestroy();
      await meanwhile();
      connection.write(Buffer.from("x"));
      await noted.hears("closed");
      expect(noted.told).toEqual(["ended", "closed"]);
      expect(noted.bytes.toString()).toBe("abc");
    });

    it("by our own command tells it, too", async () => {
      const { connection, other } = await loopback(way);
      const noted = new Noted(connection);
      const ended = once(other.resume(), "end");
      connection.carryOut("destroy");
      await noted.hears("closed");
      await within(ended, "the other end sees it");
      expect(noted.told).toEqual(["closed"]);
    });

    it("takes every command and byte without a word", async () => {
      const { connection } = await loopback(way);
      const noted = new Noted(connection);
      connection.carryOut("destroy");
      await noted.hears("closed");
      for (const command of ["pause", "resume", "end", "destroy"] as const) connection.carryOut(command);
      expect(connection.write(Buffer.from("x"))).toBe(true);
      await meanwhile();
      expect(noted.told).toEqual(["closed"]);
      expect(connection.isBehind).toBe(false);
      expect(connection.queuedBytes).toBe(0);
    });
  });

  describe("what is written", () => {
    it("leaves in order, and nobody is told of what leaves at once", async () => {
      const { connection, other } = await loopback(way);
      const noted = new Noted(connection);
      let told = 0;
      for (const part of ["ab", "cd", "ef"]) expect(connection.write(Buffer.from(part), () => told++)).toBe(true);
      expect(connection.queuedBytes).toBe(0);
      connection.carryOut("end");
      expect((await all(other)).toString()).toBe("abcdef");
      // The other half is still open.
      other.end("answer");
      await noted.hears("closed");
      expect(noted.bytes.toString()).toBe("answer");
      expect(noted.told).toEqual(["ended", "closed"]);
      expect(told).toBe(0);
    });

    it("is told of when it has left, in order, where it had to wait", async () => {
      const { connection, other } = await loopback(way);
      const noted = new Noted(connection);
      await fill(noted);
      const left: string[] = [];
      const written = new Promise<void>((resolve) => {
        for (const part of ["ab", "cd"]) {
          expect(connection.write(Buffer.from(part), () => left.push(part))).toBe(false);
        }
        connection.write(Buffer.from("ef"), resolve);
      });
      connection.carryOut("end");
      const got = await all(other);
      expect(got.subarray(-6).toString()).toBe("abcdef");
      await within(written, "it has left");
      expect(left).toEqual(["ab", "cd"]);
    });

    it.each(["our half is ended", "it is destroyed", "it is closed"])("does nothing once %s", async (when) => {
      const { connection, other } = await loopback(way);
      const noted = new Noted(connection);
      connection.carryOut(when === "our half is ended" ? "end" : "destroy");
      if (when === "it is closed") await noted.hears("closed");
      let told = 0;
      expect(connection.write(Buffer.from("x"), () => told++)).toBe(true);
      await meanwhile();
      const got = when === "our half is ended" ? await all(other) : Buffer.alloc(0);
      expect(got).toHaveLength(0);
      expect(told).toBe(0);
    });

    it("and never leaves, since the connection is destroyed or breaks, is told of as well", async () => {
      for (const how of ["destroyed", "broken"]) {
        const { connection, other } = await loopback(way);
        const noted = new Noted(connection);
        let calls = 0;
        let writes = 0;
        await fill(noted, () => calls++);
        for (; writes < 10; writes++) connection.write(Buffer.alloc(MIB), () => calls++);
        const before = calls;
        if (how === "destroyed") connection.carryOut("destroy");
        else other.resetAndDestroy();
        await noted.hears("closed");
        await meanwhile();
        expect(calls).toBeGreaterThanOrEqual(before + 10);
        expect(noted.told.filter((told) => told !== "drained")).toHaveLength(1);
      }
    });
  });

  describe("a connection whose other end does not read", () => {
    it("is behind, counts what waits, and says when that has gone", async () => {
      const { connection, other } = await loopback(way);
      const noted = new Noted(connection);
      expect(connection.isBehind).toBe(false);
      expect(connection.queuedBytes).toBe(0);
      await fill(noted);
      expect(connection.queuedBytes).toBeGreaterThan(0);
      noted.told.length = 0;
      other.resume();
      await noted.hears("drained");
      expect(connection.isBehind).toBe(false);
      expect(connection.queuedBytes).toBe(0);
      expect(noted.told).toEqual(["drained"]);
    });
  });

  describe("a connection that is left unread", () => {
    it("reads nothing, and all of it when it is read on", async () => {
      const { connection, other } = await loopback(way);
      const noted = new Noted(connection);
      connection.carryOut("pause");
      other.end("abc");
      await meanwhile();
      expect(noted.bytes).toHaveLength(0);
      expect(noted.told).toEqual([]);
      connection.carryOut("resume");
      await noted.hears("ended");
      expect(noted.bytes.toString()).toBe("abc");
    });

    it("can be left unread while it is handed bytes: nothing more comes", async () => {
      const { connection, other } = await loopback(way);
      const reads: number[] = [];
      const handler = {
        read: (bytes: Buffer) => {
          reads.push(bytes.length);
          connection.carryOut("pause");
        },
        ended: () => undefined,
        drained: () => undefined,
        closed: () => undefined,
      };
      connection.handOver(handler);
      other.write(Buffer.alloc(MIB));
      while (reads.length === 0) await meanwhile();
      await meanwhile();
      expect(reads).toHaveLength(1);
    });

    it("is closed all the same", async () => {
      const { connection } = await loopback(way);
      const noted = new Noted(connection);
      connection.carryOut("pause");
      connection.carryOut("destroy");
      await noted.hears("closed");
    });
  });
});
