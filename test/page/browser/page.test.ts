import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { NO_TID, tidHex } from "../../../src/wire/ids.ts";
import { committed, foreign, repaired } from "../happenings.ts";
import { oid, site } from "../site.ts";
import { CHROMIUM, open } from "./chromium.ts";

// What is done in the page is text here: the types of a browser are not those of the sources.

/** Scrolls the table from the newest to the oldest, a page at a time, and notes what is drawn. */
const SCROLL_ALL = `(async () => {
  const scroller = document.getElementById("scroller");
  const tids = new Set();
  let most = 0;
  for (;;) {
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    const rows = scroller.querySelectorAll("tbody tr[data-id]");
    most = Math.max(most, rows.length);
    for (const row of rows) tids.add(row.querySelector("a").textContent);
    if (scroller.scrollTop + scroller.clientHeight >= scroller.scrollHeight - 1) break;
    scroller.scrollTop += scroller.clientHeight;
  }
  const draws = performance.getEntriesByName("draw", "measure").map(({ duration }) => duration).sort((a, b) => a - b);
  return { most, tids: [...tids], median: draws[draws.length >> 1] };
})()`;

/** How far page and table go beyond what is seen of them. */
const BEYOND = `(() => {
  const scroller = document.getElementById("scroller");
  return [document.documentElement.scrollWidth - innerWidth, scroller.scrollWidth - scroller.clientWidth];
})()`;

/** A busy machine may take that long. */
const SOON = { timeout: 60_000 };

describe.skipIf(CHROMIUM === undefined)("the status page", () => {
  it.each(["Z4", "Z5"] as const)("shows commits and repairs as they were made (%s)", async (protocol) => {
    const place = await site({ protocol });
    const { writer, watcher } = await place.pair();
    const { page, errors } = await open(place.url);
    const tids = [await writer.commit({ create: [oid(1), oid(2)] })];
    for (let n = 0; n < 4; n++) tids.push(await writer.commit({ create: [oid(10 + n)], modify: [oid(1)] }));
    tids.push(await writer.commit({ modify: [oid(1)] }));
    await watcher.invalidation(tids.at(-1) ?? NO_TID);
    await total(page, "Commits", "6");
    await total(page, "Repaired", "5");
    await total(page, "Clients now", "2");
    await expect
      .poll(() => page.locator("#transactions tbody a").allTextContents(), SOON)
      .toEqual(tids.map(tidHex).toReversed());
    const cells = page.locator("#transactions tbody tr[data-id]").nth(1).locator("td");
    const [, , source, objects, created, modified, , , repair] = await cells.allTextContents();
    expect([objects, created, modified, repair]).toEqual(["2", "1", "1", "completed +1"]);
    expect(source).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(await page.locator("#storages").textContent()).toContain("is not patched");
    expect(await page.locator("#clients").textContent()).toContain(protocol);
    await page.locator("#chart-commits canvas").waitFor();
    await page.locator("#chart-data summary").click();
    await expect.poll(() => sumOf(page, "#minutes td:nth-child(2)"), SOON).toBe(6);
    await expect.poll(() => sumOf(page, "#minutes td:nth-child(3)"), SOON).toBe(5);
    expect(errors).toEqual([]);
  });

  it("says of an upstream that only observes that nothing is repaired, and shows what would be", async () => {
    const place = await site({ protocol: "Z5" }, { isObserved: true });
    const { writer, watcher } = await place.pair();
    const { page, errors } = await open(place.url);
    await writer.commit({ create: [oid(1), oid(2)] });
    const tid = await writer.commit({ create: [oid(3)], modify: [oid(1)] });
    await watcher.invalidation(tid);
    await total(page, "Commits", "2");
    await total(page, "Repaired", "0");
    await total(page, "Would be repaired", "2");
    await page.locator("#observing").waitFor();
    expect(await page.locator("#observing").textContent()).toMatch(/^Nothing is repaired at main \(repair: observe\)/);
    expect(await page.locator("#upstreams").textContent()).toContain("observes only: nothing is repaired");
    expect(await page.locator("#storages").textContent()).toContain("1, as observed");
    expect(await page.locator("#clients .state").allTextContents()).toEqual(
      Array.from({ length: 2 }, () => "observed: relayed byte for byte"),
    );
    const cells = page.locator("#transactions tbody td[data-observed=true]");
    await expect
      .poll(() => cells.allTextContents(), SOON)
      .toEqual(["would be completed (+1)", "would be completed (+2)"]);
    await page.locator("#chart-commits .u-legend", { hasText: "Would be repaired" }).waitFor();
    await page.locator("#chart-data summary").click();
    await expect.poll(() => sumOf(page, "#minutes td:nth-child(4)"), SOON).toBe(2);
    expect(await sumOf(page, "#minutes td:nth-child(3)")).toBe(0);
    await page.locator("#transactions tbody a").first().click();
    await page.locator("#lookup-body dl").waitFor();
    const text = (await page.locator("#lookup-body").textContent()) ?? "";
    expect(text).toContain("the server's message would be completed for 1 client, with 1 oid that it did not name");
    expect(text).toContain("would be added");
    expect(text).not.toContain("added by the proxy");
    expect(errors).toEqual([]);
  });

  it("says nothing of observing where nobody observes", async () => {
    const place = await site({ protocol: "Z5" });
    place.feed.read(committed(1));
    const { page } = await open(place.url);
    await page.locator("#transactions tbody a").first().waitFor();
    await page.locator("#upstreams li").first().waitFor();
    expect(await page.locator("#observing").isHidden()).toBe(true);
    expect(await page.locator("body").textContent()).not.toContain("observes only");
    expect(await page.locator('#totals li[data-key="Would be repaired"]').count()).toBe(0);
    expect(await page.locator("#would-be").isHidden()).toBe(true);
  });

  it("says which upstream does not listen, and why", async () => {
    const place = await site({ protocol: "Z5" });
    const { page } = await open(place.url);
    await place.server.close();
    await place.connect().catch(() => undefined);
    await expect.poll(() => page.getByRole("alert").textContent(), SOON).toContain("main is not listening");
  });

  it("can be used by keyboard alone", async () => {
    const place = await site({ protocol: "Z5" });
    for (let n = 1; n <= 300; n++) place.feed.read(committed(n, { created: [n] }));
    const { page, errors } = await open(place.url);
    await page.locator("#transactions tbody a").first().waitFor();
    await page.keyboard.press("Tab");
    expect(await focused(page)).toBe("Skip to the transactions");
    await page.keyboard.press("Enter");
    await tabTo(page, "Pause");
    await page.keyboard.press("Space");
    expect(await page.locator("#pause").getAttribute("aria-pressed")).toBe("true");
    await page.keyboard.press("Tab");
    await page.keyboard.press("ArrowDown");
    expect(await focused(page)).toBe(oid(300));
    await page.keyboard.press("End");
    expect(await focused(page)).toBe(oid(1));
    await page.keyboard.press("PageUp");
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("Home");
    await page.keyboard.press("ArrowDown");
    expect(await focused(page)).toBe(oid(299));
    await page.keyboard.press("Enter");
    await page.locator("#lookup-body dl").waitFor();
    expect(await focused(page)).toBe(`Transaction ${oid(299)}`);
    await tabTo(page, oid(299));
    await page.keyboard.press("Enter");
    await page.locator("#lookup-body caption", { hasText: "1 transaction" }).waitFor();
    await page.keyboard.press("Shift+Tab");
    expect(await focused(page)).toBe("Back to the overview");
    await page.keyboard.press("Enter");
    await page.locator("#overview").waitFor();
    await page.locator("#query").focus();
    await page.keyboard.type("0x7");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Search for 0x7" }).waitFor();
    await page.locator("#lookup-body td.tid", { hasText: oid(7) }).waitFor();
    expect(errors).toEqual([]);
  });

  it("draws of 5,000 transactions what is seen, and all can be scrolled to", async () => {
    const place = await site({ protocol: "Z5" });
    for (let n = 1; n <= 5_500; n++) place.feed.read(committed(n, { created: [n] }));
    const { page, errors } = await open(place.url);
    await expect.poll(() => page.locator("#count").textContent(), SOON).toBe("5,000 kept");
    // All have come.
    await expect.poll(() => page.locator("#transactions").getAttribute("aria-rowcount"), SOON).toBe("5001");
    const seen = await page.evaluate<{ most: number; tids: string[]; median: number }>(SCROLL_ALL);
    expect(seen.most).toBeLessThan(60);
    expect(seen.tids.toSorted()).toEqual(Array.from({ length: 5_000 }, (_, n) => oid(n + 501)));
    // A frame has 16 ms. The machine may be busy: then some take longer, not the one in the middle by far.
    expect(seen.median).toBeLessThan(100);
    expect(errors).toEqual([]);
  });

  it("keeps up with a thousand commits a second, in few messages, and stays where somebody reads", async () => {
    const place = await site({ protocol: "Z5" });
    for (let n = 1; n <= 400; n++) place.feed.read(committed(n));
    const { page, errors } = await open(place.url);
    await page.locator("#transactions tbody a").first().waitFor();
    await page.evaluate("document.getElementById('scroller').scrollTop = 3200");
    const link = page.locator("#transactions tbody a", { hasText: oid(290) });
    await link.waitFor();
    const before = await link.boundingBox();
    const started = Date.now();
    let n = 400;
    for (let batch = 0; batch < 100; batch++) {
      for (let i = 0; i < 30; i++) place.feed.read(committed(++n, { created: [n] }));
      place.feed.read(repaired(n, [n]));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await expect.poll(() => page.locator("#count").textContent(), SOON).toBe("3,400 kept");
    expect((await link.boundingBox())?.y).toBeCloseTo(before?.y ?? -1, 0);
    const draws = await page.evaluate<number>("performance.getEntriesByName('draw', 'measure').length");
    // Four steps a second, and what scrolling takes.
    expect(draws).toBeLessThan(20 + ((Date.now() - started) / 1_000) * 8);
    await page.locator("#newest").click();
    await expect
      .poll(() => page.locator("#transactions tbody tr[data-id]").first().textContent(), SOON)
      .toContain(oid(3_400));
    expect(errors).toEqual([]);
  });

  it("comes back by itself, and shows what there is then", async () => {
    const place = await site({ protocol: "Z5" });
    place.feed.read(committed(1));
    const { page } = await open(place.url);
    await page.locator("#transactions tbody a").first().waitFor();
    place.http.closeAllConnections();
    await page.locator("#connection[data-state=connecting]").waitFor();
    place.feed.read(committed(2));
    await page.locator("#connection[data-state=live]").waitFor();
    const shown = page.locator("#transactions tbody a");
    await expect.poll(() => shown.allTextContents(), SOON).toEqual([oid(2), oid(1)]);
  });

  it("shows names as they are, and not as HTML", async () => {
    const place = await site({ protocol: "Z5" });
    const storage = "<img src=x onerror=alert(1)>";
    place.feed.read({ ...committed(1, { created: [1] }), storage });
    const { page, errors } = await open(place.url);
    await page.locator("#transactions tbody a").first().click();
    await page.locator("#lookup-body dl").waitFor();
    expect(await page.locator("#lookup-body dl").textContent()).toContain(storage);
    expect(await page.locator("img").count()).toBe(0);
    expect(errors).toEqual([]);
  });

  it("fits a phone: nothing is scrolled sideways", async () => {
    const place = await site({ protocol: "Z5" });
    const { writer } = await place.pair();
    await writer.commit({ create: [oid(1)] });
    for (let n = 1; n <= 20; n++) place.feed.read(n % 2 === 0 ? foreign(n, [n]) : committed(n, { created: [n] }));
    place.feed.read(repaired(19, [19]));
    const { page, errors } = await open(place.url, {
      viewport: { width: 360, height: 740 },
      hasTouch: true,
    });
    await page.locator("#transactions tbody a").first().waitFor();
    await page.locator("#chart-held canvas").waitFor();
    const widths = (): Promise<number[]> => page.evaluate<number[]>(BEYOND);
    expect(await widths()).toEqual([0, 0]);
    await page.locator("#transactions tbody a").first().tap();
    await page.locator("#lookup-body dl").waitFor();
    expect((await widths())[0]).toBe(0);
    expect(errors).toEqual([]);
  });
});

async function total(page: Page, name: string, value: string): Promise<void> {
  const number = page.locator(`#totals li[data-key="${name}"] strong`);
  await expect.poll(() => number.textContent(), SOON).toBe(value);
}

async function sumOf(page: Page, cells: string): Promise<number> {
  return (await page.locator(cells).allTextContents()).reduce((sum, text) => sum + Number(text), 0);
}

/** The text of what has the focus. */
function focused(page: Page): Promise<string | undefined> {
  return page.evaluate<string | undefined>("document.activeElement?.textContent?.trim()");
}

async function tabTo(page: Page, text: string): Promise<void> {
  for (let n = 0; n < 40; n++) {
    if ((await focused(page)) === text) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`the Tab key does not lead to ${text}`);
}
