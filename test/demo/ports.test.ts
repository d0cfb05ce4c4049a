import { createServer } from "node:net";
import type { Server } from "node:net";
import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import { startOnPort } from "../../src/demo/ports.ts";

const open: Server[] = [];

afterEach(() => {
  for (const server of open.splice(0)) server.close();
});

async function listen(port: number): Promise<number> {
  const server = createServer();
  open.push(server);
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return address !== null && typeof address === "object" ? address.port : 0;
}

describe("startOnPort", () => {
  it("takes another port when the usual one is taken, and says so", async () => {
    const port = await listen(0);
    const started = await startOnPort(port, false, listen);
    expect(started.taken).toBe(port);
    expect(started.value).not.toBe(port);
  });

  it("takes no other port than the one that was asked for", async () => {
    const port = await listen(0);
    await expect(startOnPort(port, true, listen)).rejects.toMatchObject({ code: "EADDRINUSE" });
  });

  it("lets other errors through", async () => {
    const broken = startOnPort(1, false, () => Promise.reject(new Error("no")));
    await expect(broken).rejects.toThrow("no");
  });
});
