import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { tidHex } from "../../../src/wire/ids.ts";
import { oid, site } from "../site.ts";
import { CHROMIUM, open } from "./chromium.ts";

describe.skipIf(CHROMIUM === undefined)("what axe-core finds in the status page", () => {
  it.each(["light", "dark"] as const)("is nothing, on each of its pages (%s)", async (colorScheme) => {
    const place = await site({ protocol: "Z5" });
    const { writer, watcher } = await place.pair();
    await writer.commit({ create: [oid(1), oid(2)] });
    const tid = await writer.commit({ create: [oid(3)], modify: [oid(1)] });
    await watcher.invalidation(tid);
    const { page, errors } = await open(place.url, { colorScheme });
    await page.locator("#transactions td[data-repair=completed]").first().waitFor();
    await page.locator("#chart-commits canvas").waitFor();
    await page.locator("#chart-data summary").click();
    expect(await violations(page), "of the overview").toEqual([]);
    await page.goto(`${place.url}/#/transaction/${tidHex(tid)}/main/1`);
    await page.locator("#lookup-body table").waitFor();
    expect(await violations(page), "of a transaction").toEqual([]);
    await page.goto(`${place.url}/#/search/1`);
    await page.getByRole("heading", { name: "Search for 1" }).waitFor();
    expect(await violations(page), "of a search").toEqual([]);
    expect(errors).toEqual([]);
  });

  it.each(["light", "dark"] as const)("is nothing where an upstream only observes (%s)", async (colorScheme) => {
    const place = await site({ protocol: "Z5" }, { isObserved: true });
    const { writer, watcher } = await place.pair();
    await watcher.invalidation(await writer.commit({ create: [oid(1), oid(2)], modify: [] }));
    const { page, errors } = await open(place.url, { colorScheme });
    await page.locator("#transactions td[data-observed=true]").first().waitFor();
    await page.locator("#chart-commits .u-legend", { hasText: "Would be repaired" }).waitFor();
    await page.locator("#chart-data summary").click();
    expect(await violations(page)).toEqual([]);
    expect(errors).toEqual([]);
  });

  it("is nothing in the colours that somebody has chosen, either, which hold when the page is opened again", async () => {
    const place = await site({ protocol: "Z5" });
    await place.pair();
    const { page } = await open(place.url, { colorScheme: "light" });
    const back = (): Promise<string> => page.evaluate<string>("getComputedStyle(document.body).backgroundColor");
    const light = await back();
    await page.locator("#theme").selectOption("dark");
    const dark = await back();
    expect(dark).not.toBe(light);
    await page.reload();
    await page.locator("#clients li").first().waitFor();
    expect(await back()).toBe(dark);
    expect(await violations(page)).toEqual([]);
  });
});

async function violations(page: Page): Promise<string[]> {
  const { violations: found } = await new AxeBuilder({ page }).analyze();
  return found.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html}: ${failureSummary}`));
}
