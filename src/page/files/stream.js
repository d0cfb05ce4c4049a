/** @typedef {import("../messages.ts").Hello} Hello */
/** @typedef {import("../messages.ts").Overview} Overview */
/** @typedef {import("../messages.ts").Seconds} Seconds */
/** @typedef {import("../messages.ts").Rows} Rows */

/**
 * @typedef {object} Told
 * @property {(hello: Hello) => void} hello
 * @property {(overview: Overview) => void} overview
 * @property {(seconds: Seconds) => void} seconds
 * @property {(rows: Rows) => void} rows
 * @property {(state: "live" | "connecting" | "refused") => void} state
 */

/** Where the server has refused it, the browser does not try again by itself. */
const AGAIN_MS = 5_000;

/**
 * Follows what the proxy tells, and comes back when the connection has ended.
 * @param {Told} told
 */
export function follow(told) {
  const source = new EventSource("/events");
  for (const name of /** @type {const} */ (["hello", "overview", "seconds", "rows"])) {
    source.addEventListener(name, (event) => {
      told[name](JSON.parse(event.data));
    });
  }
  source.addEventListener("open", () => told.state("live"));
  source.addEventListener("error", () => {
    if (source.readyState !== EventSource.CLOSED) {
      told.state("connecting");
      return;
    }
    told.state("refused");
    setTimeout(() => follow(told), AGAIN_MS);
  });
}
