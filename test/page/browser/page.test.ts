import { describe, expect, it } from "vitest";
import { oid, site } from "../site.ts";
import { CHROMIUM, open } from "./chromium.ts";

describe.skipIf(CHROMIUM === undefined)("the status page", () => {
  it("counts commits and repairs as they were made, and shows them", async () => {
    const { url, pair } = await opened();
    const { writer, watcher } = await pair();
    const { page, errors } = await open(url);
    const tids = [await writer.commit({ create: [oid(1), oid(2)] })];
    for (let n = 0; n < 4; n++) tids.push(await writer.commit({ create: [oid(10 + n)], modify: [oid(1)] }));
    tids.push(await writer.commit({ modify: [oid(1)] }));
    await watcher.invalidation(tids.at(-1) ?? "");
    await total(page, "Commits", "6");
    await total(page, "Repaired", "5");
    await total(page, "Clients now", "2");
    const links = page.locator("#transactions tbody a");
    await expect.poll(() => links.allTextContents(), { timeout: 15_000 }).toEqual(tids.toReversed());
    const row = page.locator("#transactions tbody tr[data-id]").nth(1);
    expect(await row.locator("td").allTextContents()).toMatchObject({ 3: "2", 4: "1", 5: "1", 8: "completed +1" });
    expect(await page.locator("#storages").textContent()).toContain("is not patched");
    expect(errors).toEqual([]);
  });
});

async function opened() {
  const made = await site({ protocol: "Z5" });
  return { url: made.url, site: made, pair: () => made.pair() };
}

async function total(page: Awaited<ReturnType<typeof open>>["page"], name: string, value: string): Promise<void> {
  const item = page.locator("#totals li", { hasText: name }).locator("strong");
  await expect.poll(() => item.textContent(), { timeout: 15_000 }).toBe(value);
}
