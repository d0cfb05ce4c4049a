import { describe, expect, it } from "vitest";
import { answer, TEXT, type Route } from "../../src/admin/route.ts";
import { CREDENTIALS, portOf, serving, Visitor } from "./visitor.ts";

describe("at the bound of connections", () => {
  it("the one that has said nothing for longest makes room for the newest", async () => {
    const { address } = await serving({ bounds: { guests: 3 } });
    const first = await Visitor.to(address);
    const second = await Visitor.to(address);
    const third = await Visitor.to(address);
    // Now it is the one that has said something last.
    expect(await first.ask("/hello")).toMatchObject({ status: 200 });
    const fourth = await Visitor.to(address);
    expect(await fourth.ask("/hello")).toMatchObject({ status: 200 });
    await second.closed;
    expect(await first.ask("/hello")).toMatchObject({ status: 200 });
    const fifth = await Visitor.to(address);
    expect(await fifth.ask("/hello")).toMatchObject({ status: 200 });
    await third.closed;
  });

  it("one that is being answered stays, and where all are the newest goes", async () => {
    const answers: (() => void)[] = [];
    let came: () => void = () => undefined;
    const route: Route = {
      path: "/slow",
      handle: (_, response) => {
        answers.push(() => answer(response, 200, TEXT, "at last\n"));
        came();
      },
    };
    const { address } = await serving({ bounds: { guests: 2 } }, [route]);
    const served: Promise<unknown>[] = [];
    for (let i = 0; i < 2; i++) {
      // oxlint-disable-next-line no-await-in-loop -- one by one
      const visitor = await Visitor.to(address);
      const asked = new Promise<void>((resolve) => (came = resolve));
      served.push(visitor.ask("/slow"));
      // oxlint-disable-next-line no-await-in-loop -- one by one
      await asked;
    }
    const third = await Visitor.to(address);
    await third.closed;
    for (const reply of answers) reply();
    expect(await Promise.all(served)).toMatchObject([{ body: "at last\n" }, { body: "at last\n" }]);
    expect(await (await Visitor.to(address)).ask("/hello")).toMatchObject({ status: 200 });
  });

  it("hundreds that open and wait keep nobody from being answered", async () => {
    const { address } = await serving();
    const idle = await Promise.all(Array.from({ length: 300 }, () => Visitor.to(address)));
    for (const visitor of idle) visitor.say("GET /hello HT");
    expect(await (await Visitor.to(address)).ask("/hello")).toMatchObject({ status: 200 });
    const closed = idle.slice(0, 200).map((visitor) => visitor.closed);
    await Promise.all(closed);
  });
});

describe("hundreds of handshakes of TLS that are begun and not gone on with", () => {
  it("keep nobody from being answered", async () => {
    const { address } = await serving({ credentials: CREDENTIALS });
    const idle = await Promise.all(Array.from({ length: 100 }, () => Visitor.to(address)));
    // The first bytes of what a client says first.
    for (const visitor of idle) visitor.say("\x16\x03\x01\x02\x00\x01");
    expect(await (await Visitor.tls(portOf(address))).ask("/hello")).toMatchObject({ status: 200 });
    await Promise.all(idle.slice(0, 30).map((visitor) => visitor.closed));
  });

  it("are given up in time", async () => {
    const { address } = await serving({ credentials: CREDENTIALS, bounds: { requestMs: 100 } });
    const visitor = await Visitor.to(address);
    visitor.say("\x16\x03\x01");
    await visitor.closed;
  });
});

describe("who takes nothing of an answer", () => {
  /** Answers with more than any system keeps for who does not read. `gone`: it was taken whole, or not. */
  function large(size = 50_000_000): { readonly route: Route; readonly gone: Promise<boolean> } {
    let told: (isWhole: boolean) => void = () => undefined;
    const gone = new Promise<boolean>((resolve) => (told = resolve));
    const handle: Route["handle"] = (_, response) => {
      const { socket } = response;
      if (socket === null) throw new Error("nobody asks");
      socket.once("close", () => told(false));
      // Finished is what its socket keeps; taken is what that keeps no more.
      const look = (): void => {
        if (socket.destroyed) return;
        if (socket.writableLength === 0) told(true);
        else socket.once("drain", look);
      };
      response.once("finish", look);
      answer(response, 200, TEXT, Buffer.alloc(size, "x"));
    };
    return { route: { path: "/large", handle }, gone };
  }

  it("is cut off after a time", async () => {
    const { route, gone } = large();
    const { address } = await serving({ bounds: { stalledMs: 200, answerMs: 100_000 } }, [route]);
    const visitor = await Visitor.to(address);
    visitor.socket.pause();
    visitor.say("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
    expect(await gone).toBe(false);
  });

  it("is cut off, too, when it takes a little now and then", async () => {
    const { route, gone } = large();
    const { address } = await serving({ bounds: { answerMs: 300, stalledMs: 100_000 } }, [route]);
    const visitor = await Visitor.to(address);
    visitor.socket.pause();
    visitor.say("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const sipping = setInterval(() => visitor.socket.read(1), 20);
    expect(await gone).toBe(false);
    clearInterval(sipping);
  });

  it("but nobody who takes it in time", async () => {
    const { route, gone } = large(1_000_000);
    const { address } = await serving({}, [route]);
    const visitor = await Visitor.to(address);
    const reply = await visitor.ask("/large");
    expect(reply.body.length).toBe(1_000_000);
    expect(await gone).toBe(true);
  });
});
