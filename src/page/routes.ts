import type { IncomingMessage, ServerResponse } from "node:http";
import { answerJson, HEADERS, refuse } from "./answer.ts";
import { readAssets, type Asset } from "./assets.ts";
import type { Feed } from "./feed.ts";
import { Readers } from "./readers.ts";
import type { Route } from "../admin/route.ts";

/** The page at `/`, its files, what is told to it at `/events`, and its look-ups. All of it only reads. */
export function pageRoutes(feed: Feed, readers = new Readers(feed)): Route[] {
  return [
    ...readAssets().map(assetRoute),
    { path: "/events", handle: (request, response) => readers.add(request, response) },
    { path: "/transaction.json", handle: (request, response) => transaction(feed, request, response) },
    {
      path: "/search.json",
      handle: (request, response) => answerJson(response, feed.transactions.search(asked(request, "q"))),
    },
  ];
}

function assetRoute({ path, type, bytes, etag }: Asset): Route {
  const headers = { ...HEADERS, "cache-control": "no-cache", etag };
  return {
    path,
    handle(request, response) {
      if (request.headers["if-none-match"] === etag) response.writeHead(304, headers).end();
      else response.writeHead(200, { ...headers, "content-type": type, "content-length": bytes.length }).end(bytes);
    },
  };
}

/** `tid`, and `upstream` and `storage` where several have the same. */
function transaction(feed: Feed, request: IncomingMessage, response: ServerResponse): void {
  const [tid, upstream, storage] = ["tid", "upstream", "storage"].map((name) => asked(request, name));
  const found = feed.transactions.view(tid ?? "", upstream || undefined, storage || undefined);
  if (found === undefined) refuse(response, 404, "this transaction is not among those that are kept\n");
  else answerJson(response, found);
}

/** No question is longer: what is asked for is shown again. */
const MOST_ASKED = 200;

function asked({ url = "" }: IncomingMessage, name: string): string {
  const at = url.indexOf("?");
  return (new URLSearchParams(at < 0 ? "" : url.slice(at + 1)).get(name) ?? "").slice(0, MOST_ASKED);
}
