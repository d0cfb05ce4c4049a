import dns from "node:dns";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { Route } from "../../src/admin/route.ts";
import { CREDENTIALS, portOf, serving, Visitor } from "./visitor.ts";

function path(): string {
  const folder = mkdtempSync(join(tmpdir(), "zeo-proxy-admin-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, "admin.sock");
}

const NAME = "admin.example.test";

/** A name service that knows one name, with these addresses. */
function named(...addresses: string[]): void {
  const real = dns.lookup as (...args: unknown[]) => void;
  const found = addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
  const lookup = vi.spyOn(dns, "lookup").mockImplementation((host: string, ...rest: unknown[]) => {
    if (host !== NAME) return real(host, ...rest);
    process.nextTick(rest.at(-1) as () => void, null, found);
    return undefined;
  });
  onTestFinished(() => lookup.mockRestore());
}

describe("a name of both families", () => {
  it.each([
    [["::1", "127.0.0.1"], "no TLS"],
    [["127.0.0.1", "::1"], "TLS"],
  ])("is listened on at all its addresses, at one port: %j, %s", async (addresses, tls) => {
    named(...addresses);
    const credentials = tls === "TLS" ? CREDENTIALS : undefined;
    const { address, server } = await serving({ listen: { host: NAME, port: 0 }, credentials });
    expect(address).toBe(`${NAME}:${portOf(address)}`);
    const ask = async (host: string): Promise<number> => {
      const at = `${host}:${portOf(address)}`;
      const visitor = credentials === undefined ? await Visitor.to(at) : await Visitor.tls(portOf(address), host);
      return (await visitor.ask("/hello", { Host: NAME })).status;
    };
    for (const host of addresses) expect(await ask(host)).toBe(200);
    await server.stop();
    for (const host of addresses) await expect(ask(host)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });

  it("is in use where one of them is", async () => {
    named("127.0.0.1", "::1");
    const { address } = await serving({ listen: { host: "::1", port: 0 } });
    const listen = { host: NAME, port: portOf(address) };
    await expect(serving({ listen })).rejects.toMatchObject({ code: "EADDRINUSE" });
    await expect(Visitor.to(`127.0.0.1:${listen.port}`)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });

  it("that nobody knows can't be had", async () => {
    vi.spyOn(dns, "lookup").mockImplementationOnce((_host: string, ...rest: unknown[]) => {
      const error = Object.assign(new Error("none"), { code: "ENOTFOUND" });
      process.nextTick(rest.at(-1) as () => void, error);
      return undefined;
    });
    await expect(serving({ listen: { host: NAME, port: 0 } })).rejects.toMatchObject({ code: "ENOTFOUND" });
  });
});

describe("a Unix socket", () => {
  it("is nobody's until its mode is right", async () => {
    const listen = { path: path() };
    const started = serving({ listen });
    expect(statSync(listen.path).mode & 0o777).toBe(0);
    await started;
    expect(statSync(listen.path).mode & 0o777).toBe(0o660);
  });

  it("is its owner's and its group's, answers, and is gone at the end", async () => {
    const listen = { path: path() };
    const { address, server } = await serving({ listen });
    expect(address).toBe(listen.path);
    expect(statSync(listen.path).mode & 0o777).toBe(0o660);
    const visitor = await Visitor.to(address);
    expect(await visitor.ask("/hello")).toMatchObject({ status: 200 });
    expect(await visitor.ask("/hello", { Host: "evil.example" })).toMatchObject({ status: 421 });
    await server.stop();
    expect(existsSync(listen.path)).toBe(false);
  });

  it("with TLS answers one while another's answer goes on and on", async () => {
    const stream: Route = { path: "/stream", handle: (_, response) => void response.writeHead(200).write("first") };
    const { address } = await serving({ listen: { path: path() }, credentials: CREDENTIALS }, [stream]);
    const long = await Visitor.tls(address);
    expect(await long.ask("/stream")).toMatchObject({ status: 200 });
    expect(await (await Visitor.tls(address)).ask("/hello")).toMatchObject({ status: 200, body: "hello\n" });
    expect(long.socket.destroyed).toBe(false);
  });

  it("that a process has left behind is taken over", async () => {
    const listen = { path: path() };
    const script = `require("net").createServer().listen(${JSON.stringify(listen.path)}, () => process.kill(process.pid, "SIGKILL"))`;
    spawnSync(process.execPath, ["-e", script]);
    expect(existsSync(listen.path)).toBe(true);
    const { address } = await serving({ listen });
    expect(await (await Visitor.to(address)).ask("/hello")).toMatchObject({ status: 200 });
  });

  it("at which somebody listens is in use; a file that is none stays", async () => {
    const listen = { path: path() };
    const { address } = await serving({ listen });
    await expect(serving({ listen })).rejects.toMatchObject({ code: "EADDRINUSE" });
    expect(await (await Visitor.to(address)).ask("/hello")).toMatchObject({ status: 200 });
    const file = path();
    writeFileSync(file, "mine");
    await expect(serving({ listen: { path: file } })).rejects.toMatchObject({ code: "ENOTSOCK" });
    expect(existsSync(file)).toBe(true);
  });
});
