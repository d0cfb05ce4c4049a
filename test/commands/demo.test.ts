import { createServer } from "node:net";
import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import { EmbeddedClient } from "../../src/embedded/client.ts";
import { ClientCommit } from "../../src/embedded/client-commit.ts";
import { killRest, zeoProxy } from "./command.ts";
import type { CommandProcess } from "./command.ts";

afterEach(killRest);

/** Free ports, so that nothing depends on what else runs here. */
const ANY_PORTS = ["--listen", "127.0.0.1:0", "--server-port", "0"];

/** A row of the table: what was done, seen directly, seen behind the proxy. */
function rows(stdout: string): string[][] {
  const lines = stdout.split("\n");
  const start = lines.findIndex((line) => line.startsWith("---"));
  const end = lines.findIndex((line) => line.startsWith("Of "));
  return lines
    .slice(start + 1, end)
    .filter((line) => line !== "")
    .map((line) => line.trim().split(/ {2,}/));
}

describe.each([
  ["Z4", "no message"],
  ["Z5", "message without oids"],
  ["M5", "message without oids"],
] as const)("demo --once with %s", (protocol, nothing) => {
  it("shows what each watcher was told, and ends with 0", async () => {
    const { status, stdout, stderr } = await zeoProxy(["demo", "--once", "--protocol", protocol, ...ANY_PORTS]).ended();
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(rows(stdout)).toEqual([
      ["creates 0 1 2 3", nothing, "0 1 2 3"],
      ["modifies 2", "2", "2"],
      ["modifies 2 3", "2 3", "2 3"],
      ["modifies 2, creates 4 5", "2", "2 4 5"],
      ["creates 6", nothing, "6"],
      ["deletes 3", nothing, "3"],
      ["copies in 7", nothing, "7"],
      ["a client comes back", "2 3", "2 3 4 5 6 7"],
    ]);
    expect(stdout).toContain("Of 13 changes the server's own messages name 4, behind the proxy they name 13.");
    expect(stdout.match(/invalidation repaired/g)).toHaveLength(5);
    expect(stdout.match(/getInvalidations repaired/g)).toHaveLength(1);
  });
});

describe("demo", () => {
  async function open(
    args: readonly string[] = ANY_PORTS,
  ): Promise<{ demo: CommandProcess; server: number; proxy: number }> {
    const demo = zeoProxy(["demo", ...args]);
    const ports = await demo.until(() => {
      if (!demo.stdout.includes("Both ports stay open")) return undefined;
      const server = /in memory \(\w+\) on 127\.0\.0\.1:(\d+)/.exec(demo.stdout)?.[1];
      const proxy = /before it on 127\.0\.0\.1:(\d+)/.exec(demo.stdout)?.[1];
      return server !== undefined && proxy !== undefined ? { server: Number(server), proxy: Number(proxy) } : undefined;
    }, "both ports");
    return { demo, ...ports };
  }

  it.each(["SIGINT", "SIGTERM"] as const)(
    "keeps both ports open until %s, and logs what it repairs for others",
    async (signal) => {
      const { demo, server, proxy } = await open();
      const [direct, watcher, writer] = await Promise.all(
        [server, proxy, proxy].map((port) => EmbeddedClient.connect({ port })),
      );
      if (direct === undefined || watcher === undefined || writer === undefined) throw new Error("not connected");
      const oid = "00000000000000aa";
      const tid = await new ClientCommit(writer).commit({ create: [oid] });
      expect((await watcher.invalidation(tid)).oids).toEqual([oid]);
      expect((await direct.invalidation(tid)).oids).toEqual([]);
      // The demo's own writer and watcher are clients, too.
      const logged = /Both ports.*invalidation repaired.*created 1, for 3 clients/s;
      await demo.until(() => (logged.test(demo.stdout) ? true : undefined), "the repair");
      demo.signal(signal);
      expect(await demo.ended()).toMatchObject({ status: 0, stderr: "" });
      await Promise.all([direct, watcher, writer].map((client) => client.close()));
    },
  );

  it("says how to connect a real client to either port", async () => {
    const { demo, server, proxy } = await open();
    for (const port of [server, proxy]) {
      expect(demo.stdout).toContain(
        `python -c "import ZEO; print(ZEO.connection(('127.0.0.1', ${port})).root()['greeting'])"`,
      );
    }
    demo.signal("SIGTERM");
    await demo.ended();
  });

  it("has nothing but one line and status 1 for a port that was asked for and is taken", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const address = taken.address();
    const port = address !== null && typeof address === "object" ? address.port : 0;
    for (const args of [
      ["--listen", `127.0.0.1:${port}`, "--server-port", "0"],
      ["--listen", "127.0.0.1:0", "--server-port", `${port}`],
    ]) {
      const { status, stdout, stderr } = await zeoProxy(["demo", "--once", ...args]).ended();
      expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
      expect(stderr).toMatch(new RegExp(`^zeo-proxy: .*127\\.0\\.0\\.1:${port}: the address is in use\n$`));
    }
    taken.close();
  });

  it.each([
    ["--protocol", "Z3"],
    ["--listen", "nowhere"],
    ["--server-port", "70000"],
  ])("refuses %s %s with status 2", async (option, value) => {
    const { status, stdout, stderr } = await zeoProxy(["demo", "--once", option, value]).ended();
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toContain(option);
    expect(stderr).not.toContain("    at ");
  });

  it("falls back to free ports where the usual ones are taken, and says which", async () => {
    const usual = [8100, 9100].map((port) =>
      createServer()
        .on("error", () => undefined)
        .listen(port, "127.0.0.1"),
    );
    // Or somebody else has it.
    await Promise.all(usual.map((one) => once(one, "listening").catch(() => undefined)));
    const { status, stdout } = await zeoProxy(["demo", "--once"]).ended();
    for (const one of usual) one.close();
    expect(status).toBe(0);
    expect(stdout).toContain("(8100 and 9100 were taken.)");
  });
});
