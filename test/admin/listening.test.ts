import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Route } from "../../src/admin/route.ts";
import { CREDENTIALS, serving, Visitor } from "./visitor.ts";

function path(): string {
  const folder = mkdtempSync(join(tmpdir(), "zeo-proxy-admin-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, "admin.sock");
}

describe("a Unix socket", () => {
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

  it("at which somebody listens is in use; and so is a file that is none", async () => {
    const listen = { path: path() };
    const { address } = await serving({ listen });
    await expect(serving({ listen })).rejects.toMatchObject({ code: "EADDRINUSE" });
    expect(await (await Visitor.to(address)).ask("/hello")).toMatchObject({ status: 200 });
    const file = path();
    writeFileSync(file, "mine");
    await expect(serving({ listen: { path: file } })).rejects.toMatchObject({ code: "EADDRINUSE" });
    expect(existsSync(file)).toBe(true);
  });
});
