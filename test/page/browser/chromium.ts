import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";
import { afterAll, onTestFinished } from "vitest";

const NAMES = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

/** The first that is found in the `PATH`; undefined: there is none. */
export const CHROMIUM = (process.env["PATH"] ?? "")
  .split(delimiter)
  .flatMap((folder) => NAMES.map((name) => join(folder, name)))
  .find(isExecutable);

if (CHROMIUM === undefined) {
  const what = "There is no Chromium in the PATH (Debian: apt-get install chromium)";
  if (process.env["ZEO_CHROMIUM"] === "required") throw new Error(what);
  console.warn(`${what}: the tests of the status page are skipped.`);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

let browser: Promise<Browser> | undefined;

afterAll(async () => {
  await (await browser)?.close();
  browser = undefined;
});

function launched(): Promise<Browser> {
  // As root, and where there are no user namespaces, it starts only without its sandbox. It sees pages of tests only.
  browser ??= chromium.launch({ executablePath: CHROMIUM ?? "", args: ["--no-sandbox", "--disable-dev-shm-usage"] });
  return browser;
}

/** What a page has complained of. */
export interface Opened {
  readonly page: Page;
  readonly errors: string[];
}

/** The page at that address, in a profile of its own. */
export async function open(url: string, options: BrowserContextOptions = {}): Promise<Opened> {
  const context = await (await launched()).newContext({ viewport: { width: 1280, height: 900 }, ...options });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const errors: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") errors.push(message.text());
  });
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("requestfailed", (request) => errors.push(`${request.url()}: ${request.failure()?.errorText}`));
  await page.goto(url);
  await page.locator("#connection[data-state=live]").waitFor();
  return { page, errors };
}
