import { open, type Site } from "./site.ts";

export type Encoding = "pickle" | "msgpack";

/**
 * The encodings that a server speaks. It announces one, and may take the other one, too: a new server goes by the letter that
 * its client answers (ZEO 5.1 to 6.2 `asyncio/server.py`, `finish_connection`). So that is tried.
 */
export async function encodings(site: Site, storage: string): Promise<readonly Encoding[]> {
  if (site.protocol.family === "old") return ["pickle"];
  const spoken: Encoding[] = [];
  for (const [name, encoding] of [
    ["Z5", "pickle"],
    ["M5", "msgpack"],
  ] as const) {
    if (await speaks(site, name, storage)) spoken.push(encoding);
  }
  return spoken;
}

async function speaks(site: Site, name: string, storage: string): Promise<boolean> {
  try {
    const client = await open(site, name);
    try {
      await client.register(storage, true);
      await client.lastTransaction();
      return true;
    } finally {
      await client.close();
    }
  } catch {
    return false;
  }
}
