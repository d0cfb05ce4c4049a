import { afterEach, describe, expect, it } from "vitest";
import { ClientCommit } from "../../../src/embedded/client-commit.ts";
import { EmbeddedServer } from "../../../src/embedded/server.ts";
import { tidHex } from "../../../src/wire/ids.ts";
import { enter, leave, stopped } from "../../commands/stage.ts";
import { oid } from "../site.ts";
import { CHROMIUM, open } from "./chromium.ts";

// The page as an operator gets it: of the built command, at its admin address.

/** A busy machine may take that long. */
const SOON = { timeout: 60_000 };

afterEach(leave);

describe.skipIf(CHROMIUM === undefined)("the status page of the command", () => {
  it("shows what was committed through it, live, and complains of nothing", async () => {
    const server = new EmbeddedServer({ protocol: "Z5" });
    const { command, join } = await enter(server, "admin: { listen: 127.0.0.1:0 }");
    const { address } = await command.line(({ msg }) => msg === "admin listening", "the admin address");
    const { page, errors } = await open(`http://${String(address)}/`);
    const total = (name: string) => page.locator(`#totals li[data-key="${name}"] strong`).textContent();
    await expect.poll(() => total("Commits"), SOON).toBe("0");
    const [writer, watcher] = [await join(), await join()];
    const commit = new ClientCommit(writer);
    const tids = [await commit.commit({ create: [oid(1), oid(2)] })];
    for (let n = 3; n < 6; n++) tids.push(await commit.commit({ create: [oid(n)], modify: [oid(1)] }));
    const last = await commit.commit({ modify: [oid(1)] });
    await watcher.invalidation(last);
    const links = page.locator("#transactions tbody a");
    await expect.poll(() => links.allTextContents(), SOON).toEqual([...tids, last].map(tidHex).toReversed());
    await expect.poll(async () => [await total("Commits"), await total("Repaired")], SOON).toEqual(["5", "4"]);
    await expect.poll(() => total("Clients now"), SOON).toBe("2");
    const added = page.locator("#transactions tbody td[data-repair=completed]");
    expect(await added.allTextContents()).toEqual(["completed +1", "completed +1", "completed +1", "completed +2"]);
    await links.first().click();
    await page.getByRole("heading", { name: `Transaction ${tidHex(last)}` }).waitFor();
    expect(errors).toEqual([]);
    await page.context().close();
    await stopped(command);
  });
});
