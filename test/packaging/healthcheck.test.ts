import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** An admin server that answers like this; its port. */
async function admin(answer: RequestListener): Promise<number> {
  const server = createServer(answer).listen(0, "127.0.0.1");
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

async function check(port: number): Promise<{ readonly status: number | null; readonly stderr: string }> {
  const child = spawn(process.execPath, ["config/healthcheck.js", `http://127.0.0.1:${port}/livez`]);
  closing.push(() => child.kill("SIGKILL"));
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const [status] = (await once(child, "close")) as [number | null];
  return { status, stderr };
}

describe("the health check", () => {
  it("is content with a proxy that lives, and asks for no more than that", async () => {
    const asked: string[] = [];
    const port = await admin(({ method, url, headers }, response) => {
      asked.push(`${method} ${url} ${headers.host}`);
      response.end("ok\n");
    });
    expect(await check(port)).toEqual({ status: 0, stderr: "" });
    expect(asked).toEqual([`GET /livez 127.0.0.1:${port}`]);
  });

  it("is not content with another status", async () => {
    const port = await admin((_, response) => {
      response.statusCode = 503;
      response.end();
    });
    const url = `http://127.0.0.1:${port}/livez`;
    expect(await check(port)).toEqual({ status: 1, stderr: `${url}: status 503\n` });
  });

  it("is not content with nobody, or with somebody who says nothing", async () => {
    expect(await check(9)).toMatchObject({ status: 1, stderr: expect.stringMatching(/ECONNREFUSED/) });
    const stuck = await admin(() => undefined);
    expect(await check(stuck)).toMatchObject({ status: 1, stderr: expect.stringMatching(/: no answer in 3 s\n$/) });
  });
});
