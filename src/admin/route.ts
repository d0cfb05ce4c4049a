import type { IncomingMessage, ServerResponse } from "node:http";

/** What is served at one path, for GET and HEAD; everything else has been refused before. */
export interface Route {
  /** As it stands in the request, before any `?`: `/metrics`. */
  readonly path: string;
  /** Answers at once, or later. What it throws is answered with status 500. */
  handle(request: IncomingMessage, response: ServerResponse): void;
}

/** What every answer says: nobody keeps it, guesses its type, shows it inside something else, or runs anything in it. */
const HEADERS = {
  "Cache-Control": "no-store",
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
} as const;

export const TEXT = "text/plain; charset=utf-8";
export const JSON_TYPE = "application/json; charset=utf-8";

/** Sets what every answer says. A route may set another policy behind it. */
export function setHeaders(response: ServerResponse): void {
  for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
}

/** Answers with a whole body. (Node leaves it out of an answer to HEAD.) */
export function answer(response: ServerResponse, status: number, type: string, body: string | Buffer): void {
  response.statusCode = status;
  response.setHeader("Content-Type", type);
  response.setHeader("Content-Length", Buffer.byteLength(body));
  response.end(body);
}

/** A refusal, in a line for people. Nothing more is read of who is refused. */
export function refuse(response: ServerResponse, status: number, reason: string): void {
  response.setHeader("Connection", "close");
  answer(response, status, TEXT, `${reason}\n`);
}
