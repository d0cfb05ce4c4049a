import { existsSync, lstatSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { ClientCommit } from "../../src/embedded/client-commit.ts";
import type { EmbeddedClient } from "../../src/embedded/client.ts";
import { ListenError } from "../../src/index.ts";
import { client, clientAt, commits, door, names, started, type Input } from "./reloaded.ts";
import { embeddedServer, oid } from "./world.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "zeo-proxy-unix-"));
  return () => rmSync(folder, { recursive: true, force: true });
});

const at = (path: string): Promise<EmbeddedClient> => clientAt({ kind: "unix", path });
const mode = (path: string): string => (lstatSync(path).mode & 0o777).toString(8);

function unix(name: string, server: number, rest: Partial<Input> = {}): Input & { readonly path: string } {
  const path = join(folder, `${name}.sock`);
  const input = { name, listen: path, server: `127.0.0.1:${server}`, witness: "off" as const, ...rest };
  return Object.defineProperty({ ...input, path }, "path", { enumerable: false });
}

describe("an upstream at a Unix socket", () => {
  it("that is to have another mode is opened anew at its path, behind the commits of its clients", async () => {
    const server = await embeddedServer();
    const main = unix("main", server.port);
    const { proxy, reload } = await started([main]);
    const writer = await at(main.path);
    expect(mode(main.path)).toBe("660");
    const hold = server.gate.outgoing(({ method }) => method === "tpc_finish");
    const committed = new ClientCommit(writer).commit({ create: [oid(1)] });
    await hold.caught();
    const reloaded = reload([{ ...main, socket: { mode: "0600" } }]);
    await expect.poll(() => existsSync(main.path)).toBe(false);
    expect(writer.closed).toBe(false);
    hold.open();
    await committed;
    expect(await reloaded).toMatchObject({ reopened: ["main"] });
    await writer.whenClosed();
    expect(mode(main.path)).toBe("600");
    await commits(await at(main.path), 2, await at(main.path));
    expect(proxy.stats().storages).toMatchObject([{ commits: 2 }]);
  });

  it("that is not in the file any more takes its socket with it; the others' stay", async () => {
    const server = await embeddedServer();
    const [stays, goes] = [unix("stays", server.port), unix("goes", server.port)];
    const { reload } = await started([stays, goes]);
    const [writer, leaves] = [await at(stays.path), await at(goes.path)];
    expect(await reload([stays])).toMatchObject({ closed: ["goes"] });
    await leaves.whenClosed();
    expect([existsSync(stays.path), existsSync(goes.path)]).toEqual([true, false]);
    await commits(writer, 1, await at(stays.path));
  });

  it("moves from a port to a path, and back", async () => {
    const server = await embeddedServer();
    const [port, path] = [await door("main", server.port), unix("main", server.port)];
    const { proxy, reload } = await started([port]);
    await commits(await client(port.port), 1);
    expect(await reload([path])).toMatchObject({ reopened: ["main"] });
    await commits(await at(path.path), 2);
    await expect(client(port.port)).rejects.toThrow("ECONNREFUSED");
    await reload([port]);
    await commits(await client(port.port), 3);
    expect(existsSync(path.path)).toBe(false);
    expect(proxy.stats().storages).toMatchObject([{ commits: 3 }]);
  });

  it.each(["in use", "no socket", "in no folder"])(
    "whose path is %s refuses the reload: nothing is changed",
    async (is) => {
      const server = await embeddedServer();
      const [stays, fine] = [unix("stays", server.port), unix("fine", server.port)];
      const bad = unix(is === "in no folder" ? "nowhere/bad" : "bad", server.port, { name: "bad" });
      const { proxy, reload } = await started([stays]);
      const writer = await at(stays.path);
      if (is === "no socket") writeFileSync(bad.path, "a file");
      if (is === "in use") {
        const other = createServer().listen(bad.path);
        await once(other, "listening");
        onTestFinished(() => void other.close());
      }
      const error: unknown = await reload([{ ...stays, clients: 1 }, fine, bad]).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(ListenError);
      expect(error).toMatchObject({ message: expect.stringContaining("upstream bad: ") as string });
      expect(names(proxy)).toEqual(["stays listening"]);
      expect([existsSync(fine.path), existsSync(bad.path)]).toEqual([false, is !== "in no folder"]);
      await commits(writer, 1, await at(stays.path));
    },
  );

  it("is taken over where a dead process has left it", async () => {
    const server = await embeddedServer();
    const [stays, comes] = [unix("stays", server.port), unix("comes", server.port)];
    const { reload } = await started([stays]);
    const left = createServer();
    // What is behind it is closed without its file.
    left.listen(comes.path);
    await once(left, "listening");
    const { renameSync } = await import("node:fs");
    renameSync(comes.path, `${comes.path}.kept`);
    left.close();
    renameSync(`${comes.path}.kept`, comes.path);
    expect(await reload([stays, comes])).toMatchObject({ opened: ["comes"] });
    await commits(await at(comes.path), 1, await at(stays.path));
  });
});

describe("a server at a Unix socket", () => {
  it("is another one by opening its upstream anew", async () => {
    const [one, two] = [await embeddedServer(), await embeddedServer()];
    // Stand before the servers, at paths.
    const behind = [unix("one", one.port), unix("two", two.port)] as const;
    await started([...behind]);
    const main = await door("main", one.port, { server: behind[0].path });
    const { proxy, reload } = await started([main]);
    const before = await client(main.port);
    await commits(before, 1);
    expect(await reload([{ ...main, server: behind[1].path }])).toMatchObject({ reopened: ["main"] });
    await before.whenClosed();
    await commits(await client(main.port), 2, await client(main.port));
    expect(proxy.stats().storages).toMatchObject([{ server: behind[1].path, commits: 1 }]);
  });
});
