import { describe, expect, it } from "vitest";
import { answer, TEXT, type Route } from "../../src/admin/route.ts";
import { Token } from "../../src/admin/token.ts";
import { CREDENTIALS, portOf, serving, Visitor } from "./visitor.ts";

const TOKEN = "0123456789abcdef0123456789abcdef";

describe("what is served", () => {
  it("is what the table of routes has, whatever stands behind a question mark", async () => {
    const { address } = await serving();
    const visitor = await Visitor.to(address);
    expect(await visitor.ask("/hello")).toMatchObject({ status: 200, body: "hello\n" });
    expect(await visitor.ask("/hello?x=/y")).toMatchObject({ status: 200, body: "hello\n" });
    for (const path of ["/", "/hello/", "/HELLO", "//hello", "/../hello", "/hello%00", "*"]) {
      // oxlint-disable-next-line no-await-in-loop -- one by one
      const other = await Visitor.to(address);
      // oxlint-disable-next-line no-await-in-loop -- one by one
      expect((await other.ask(path)).status, path).toBe(404);
    }
  });

  it("comes with headers that let nobody keep it, or do anything with it", async () => {
    const { address } = await serving();
    const { headers } = await (await Visitor.to(address)).ask("/hello");
    expect(headers).toMatchObject({
      "cache-control": "no-store",
      "content-security-policy": expect.stringContaining("default-src 'none'"),
      "cross-origin-resource-policy": "same-origin",
      "content-type": TEXT,
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
    });
  });

  it("is for GET and HEAD", async () => {
    const { address } = await serving();
    const visitor = await Visitor.to(address);
    expect(await visitor.ask("/hello", {}, "HEAD")).toMatchObject({ status: 200, headers: { "content-length": "6" } });
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"]) {
      // oxlint-disable-next-line no-await-in-loop -- one by one
      const other = await Visitor.to(address);
      // oxlint-disable-next-line no-await-in-loop -- one by one
      const refused = await other.ask("/hello", {}, method);
      expect(refused).toMatchObject({ status: 405, headers: { allow: "GET, HEAD" } });
      // oxlint-disable-next-line no-await-in-loop -- one by one
      await other.closed;
    }
  });

  it("takes no body", async () => {
    const { address } = await serving();
    const visitor = await Visitor.to(address);
    expect(await visitor.ask("/hello", { "Content-Length": "1000000" })).toMatchObject({ status: 413 });
    await visitor.closed;
    const chunked = await Visitor.to(address);
    expect(await chunked.ask("/hello", { "Transfer-Encoding": "chunked" })).toMatchObject({ status: 413 });
    await chunked.closed;
  });

  it("is status 500 where a route throws, and the error is told", async () => {
    const error = new Error("of this test");
    const route: Route = {
      path: "/broken",
      handle: () => {
        throw error;
      },
    };
    const { address, failures } = await serving({}, [route]);
    const visitor = await Visitor.to(address);
    expect(await visitor.ask("/broken")).toMatchObject({ status: 500, body: "an internal error\n" });
    expect(failures).toEqual([error]);
    expect(await (await Visitor.to(address)).ask("/hello")).toMatchObject({ status: 200 });
  });
});

describe("a request", () => {
  it("may ask by the listening address, localhost and the configured names only", async () => {
    const { address } = await serving({ hosts: ["zeo.example.com"] });
    const ask = async (Host: string) => (await (await Visitor.to(address)).ask("/hello", { Host })).status;
    for (const host of ["localhost", "LOCALHOST:1", address, "127.0.0.1", "zeo.example.com:9180", "zeo.example.com."]) {
      // oxlint-disable-next-line no-await-in-loop -- one by one
      expect(await ask(host), host).toBe(200);
    }
    for (const host of [
      "evil.example",
      "127.0.0.1.evil.example",
      "10.0.0.1",
      "zeo.example.com.evil",
      "[::1]",
      "",
      "a b",
    ]) {
      // oxlint-disable-next-line no-await-in-loop -- one by one
      expect(await ask(host), host).toBe(421);
    }
  });

  it("of HTTP/1.0 may have no Host, as no browser's", async () => {
    const { address } = await serving();
    const visitor = await Visitor.to(address);
    visitor.say("GET /hello HTTP/1.0\r\n\r\n");
    expect(await visitor.closed).toContain("hello\n");
    const newer = await Visitor.to(address);
    newer.say("GET /hello HTTP/1.1\r\n\r\n");
    expect(await newer.closed).toContain("400 Bad Request");
  });

  it("must show the token where there is one", async () => {
    const { address } = await serving({ token: new Token(TOKEN) });
    const ask = async (Authorization: string) => await (await Visitor.to(address)).ask("/hello", { Authorization });
    const refused = await (await Visitor.to(address)).ask("/hello");
    expect(refused).toMatchObject({ status: 401, headers: { "www-authenticate": expect.stringContaining("Bearer") } });
    expect(refused.headers["www-authenticate"]).toContain("Basic");
    expect(await ask(`Bearer ${TOKEN}x`)).toMatchObject({ status: 401 });
    expect(await ask(`Bearer ${TOKEN}`)).toMatchObject({ status: 200 });
    expect(await ask(`Basic ${Buffer.from(`any:${TOKEN}`).toString("base64")}`)).toMatchObject({ status: 200 });
  });

  it("by HTTPS is answered by HTTPS, and by HTTP not at all", async () => {
    const { address } = await serving({ credentials: CREDENTIALS, token: new Token(TOKEN) });
    const visitor = await Visitor.tls(portOf(address));
    expect(await visitor.ask("/hello", { Authorization: `Bearer ${TOKEN}` })).toMatchObject({ status: 200 });
    expect(await visitor.ask("/hello", { Authorization: `Bearer ${TOKEN}` })).toMatchObject({ status: 200 });
    const plain = await Visitor.to(address);
    plain.say("GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
    expect(await plain.closed).not.toContain("200 OK");
  });

  it("of more than 8 KiB is refused", async () => {
    const { address } = await serving();
    const visitor = await Visitor.to(address);
    visitor.say(`GET /hello HTTP/1.1\r\nHost: localhost\r\nX: ${"x".repeat(9000)}\r\n\r\n`);
    expect(await visitor.closed).toContain("431");
  });

  it("that is not whole in time ends its connection", async () => {
    const { address } = await serving({ bounds: { requestMs: 100 } });
    const visitor = await Visitor.to(address);
    visitor.say("GET /hello HTTP/1.1\r\nHo");
    expect(await visitor.closed).toContain("408");
  });

  it("behind one whose answer is still on its way ends the connection: answers never pile up", async () => {
    let handled = 0;
    const body = "x".repeat(100_000);
    const route: Route = {
      path: "/large",
      handle: (_, response) => {
        handled++;
        answer(response, 200, TEXT, body);
      },
    };
    const { address } = await serving({}, [route]);
    const visitor = await Visitor.to(address);
    visitor.say("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(500));
    await visitor.closed;
    expect(handled).toBe(1);
  });
});

describe("an address", () => {
  it("that is in use is the system's error", async () => {
    const { address } = await serving();
    await expect(serving({ listen: { host: "127.0.0.1", port: portOf(address) } })).rejects.toMatchObject({
      code: "EADDRINUSE",
    });
  });
});
