import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readAssets } from "../../src/page/assets.ts";
import { Feed } from "../../src/page/feed.ts";
import { pageRoutes } from "../../src/page/routes.ts";
import { tidHex } from "../../src/wire/ids.ts";
import { tidOf } from "../ledger/settled.ts";
import { MovedClock } from "../storage/moved-clock.ts";
import { committed } from "./happenings.ts";
import { serveRoutes } from "./site.ts";

async function opened() {
  const feed = new Feed(new MovedClock(), "1.2.3");
  feed.read(committed(5, { created: [0x1f4] }));
  return { feed, ...(await serveRoutes(pageRoutes(feed))) };
}

describe("the page's routes", () => {
  it("answer the page and each file that it names, and allow nothing from elsewhere", async () => {
    const { url } = await opened();
    const page = await fetch(url);
    const text = await page.text();
    expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
    const policy = page.headers.get("content-security-policy");
    for (const part of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'"])
      expect(policy).toContain(part);
    expect(policy).not.toContain("unsafe");
    const named = [...text.matchAll(/(?:src|href)="(\/page\/[^"]+)"/g)].map(([, path = ""]) => path);
    expect(named.length).toBeGreaterThan(4);
    for (const path of named) {
      const answer = await fetch(url + path);
      expect([path, answer.status]).toEqual([path, 200]);
      expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
    }
  });

  it("answer a file that the browser has with 304", async () => {
    const { url } = await opened();
    const etag = (await fetch(`${url}/page/main.js`)).headers.get("etag") ?? "";
    const again = await fetch(`${url}/page/main.js`, { headers: { "if-none-match": etag } });
    expect(again.status).toBe(304);
  });

  it("answer HEAD without a body", async () => {
    const { url } = await opened();
    for (const path of ["/", "/events", "/search.json?q=1", "/page/main.js"]) {
      const answer = await fetch(url + path, { method: "HEAD" });
      expect([path, answer.status, await answer.text()]).toEqual([path, 200, ""]);
    }
  });

  it("answer one transaction, and say when it is not kept", async () => {
    const { url } = await opened();
    const tid = tidHex(tidOf(5));
    const found = await fetch(`${url}/transaction.json?tid=${tid}&upstream=main&storage=1`);
    expect(await found.json()).toMatchObject({ tid, created: 1, oids: [{ sort: "created", isAdded: false }] });
    expect((await fetch(`${url}/transaction.json?tid=${tid}&upstream=other`)).status).toBe(404);
    expect((await fetch(`${url}/transaction.json`)).status).toBe(404);
  });

  it("answer a search, and repeat no more of what was asked than is needed", async () => {
    const { url } = await opened();
    expect(await (await fetch(`${url}/search.json?q=0x1F4`)).json()).toMatchObject({ rows: [{ id: 0 }] });
    const long = (await (await fetch(`${url}/search.json?q=${"x".repeat(5_000)}`)).json()) as { query: string };
    expect(long.query).toHaveLength(200);
  });
});

describe("the page's files", () => {
  const files = readdirSync("src/page/files").filter((name) => name !== "tsconfig.json");

  it("are all served", () => {
    const served = readAssets().map(({ path }) => (path === "/" ? "page.html" : path.slice("/page/".length)));
    expect(served.filter((name) => !name.startsWith("uPlot")).sort()).toEqual(files.sort());
  });

  it("import each other only, and put nothing into the page as HTML", () => {
    for (const name of files.filter((file) => file.endsWith(".js"))) {
      const text = readFileSync(`src/page/files/${name}`, "utf8");
      for (const [, file = ""] of text.matchAll(/^import .* from "\.\/([^"]+)";/gm))
        expect([name, file, existsSync(`src/page/files/${file}`)]).toEqual([name, file, true]);
      expect([name, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b/.test(text)]).toEqual([
        name,
        false,
      ]);
    }
  });

  it("name no address of elsewhere, and nothing inline", () => {
    for (const name of files) {
      const text = readFileSync(`src/page/files/${name}`, "utf8");
      const addresses = [...text.matchAll(/https?:\/\/[^\s"'`]+/g)].map(([address]) => address);
      expect(addresses.filter((address) => address !== "http://www.w3.org/2000/svg")).toEqual([]);
      if (name.endsWith(".html")) expect(text).not.toMatch(/ style="| on\w+="|<style|<script(?![^>]*src=)/);
    }
  });
});
