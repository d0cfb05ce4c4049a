import { statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { ClientCommit } from "../../../src/embedded/client-commit.ts";
import { EmbeddedClient } from "../../../src/embedded/client.ts";
import { EmbeddedServer } from "../../../src/embedded/server.ts";
import { atEnd, enter, leave } from "../../commands/stage.ts";
import { oid } from "../site.ts";
import { CHROMIUM, open } from "./chromium.ts";

// `npm run screenshots` takes the pictures of the README: of the built command, while clients commit for a while. It is no test.

const FOLDER = process.env["ZEO_SCREENSHOTS"];
/** So long clients commit, so that the chart shows something. */
const BUSY_MS = 60_000;
const VIEWPORT = { width: 1180, height: 1000 };
/** People wait for the README. */
const MOST_BYTES = 150_000;

afterEach(leave);

describe.skipIf(FOLDER === undefined || CHROMIUM === undefined)("the status page's pictures", () => {
  it("show it in light and dark", async () => {
    const server = new EmbeddedServer({ protocol: "Z5" });
    const { command, join: enters } = await enter(server, "admin: { listen: 127.0.0.1:0 }");
    const { address } = await command.line(({ msg }) => msg === "admin listening", "the admin address");
    const url = `http://${String(address)}/`;
    const writer = await enters();
    await enters();
    await enters();
    const elsewhere = await EmbeddedClient.connect({ port: server.port });
    atEnd(() => elsewhere.close());
    await work(new ClientCommit(writer), new ClientCommit(elsewhere));
    for (const colorScheme of ["light", "dark"] as const) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { page, errors } = await open(url, { colorScheme, viewport: VIEWPORT });
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await page.locator("#chart-held canvas").waitFor();
      const path = join(FOLDER ?? "", `status-page-${colorScheme}.png`);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await page.screenshot({ path });
      expect(errors).toEqual([]);
      expect(statSync(path).size, path).toBeLessThan(MOST_BYTES);
    }
  });
});

/** Commits of both, sometimes many and sometimes few; a quarter of them do not pass through the proxy. */
async function work(here: ClientCommit, elsewhere: ClientCommit): Promise<void> {
  await here.commit({ create: [1, 2, 3].map(oid) });
  await elsewhere.commit({ create: [10, 11, 12].map(oid) });
  const ends = Date.now() + BUSY_MS;
  for (let n = 0; Date.now() < ends; n++) {
    const isElsewhere = n % 4 === 3;
    const commit = isElsewhere ? elsewhere : here;
    const create = Array.from({ length: n % 5 }, (_, i) => oid(100 + 8 * n + i));
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await commit.commit({ create, modify: [oid((isElsewhere ? 10 : 1) + (n % 3))] });
    const pauseMs = 120 + 110 * Math.sin(n / 15);
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
