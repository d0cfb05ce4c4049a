import type { IncomingMessage, ServerResponse } from "node:http";

/** What answers requests for one path. It is called for GET and HEAD, and answers itself. */
export interface Route {
  /** The whole path, without what is behind a `?`. */
  readonly path: string;
  handle(request: IncomingMessage, response: ServerResponse): void;
}
