import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { onTestFinished } from "vitest";
import { AdminServer, type AdminServerOptions } from "../../src/admin/server.ts";
import { answer, TEXT, type Route } from "../../src/admin/route.ts";

const pem = (name: string): string => readFileSync(new URL(`fixtures/${name}`, import.meta.url), "utf8");

/** Of `localhost`, signed by itself, good for a hundred years. */
export const CREDENTIALS = { cert: pem("certificate.pem"), key: pem("key.pem") };

/** An answer as it came over the wire. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What is said and heard over one socket. It says what a test wants, good HTTP or not. */
export class Visitor {
  readonly socket: Socket;
  /** Resolves when it is closed, with all that was heard. */
  readonly closed: Promise<string>;
  heard = "";
  #changed: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      this.heard += text;
      this.#change();
    });
    socket.on("error", () => undefined);
    this.closed = new Promise((done) => {
      socket.on("close", () => {
        this.#change();
        done(this.heard);
      });
    });
    onTestFinished(() => void socket.destroy());
  }

  static to(address: string): Promise<Visitor> {
    const at = address.lastIndexOf(":");
    const socket = address.startsWith("/")
      ? connect(address)
      : connect(Number(address.slice(at + 1)), address.slice(0, at));
    return new Promise((done, failed) => {
      socket.once("error", failed);
      socket.once("connect", () => done(new Visitor(socket)));
    });
  }

  /** To a port, or a path. */
  static tls(to: number | string, host = "127.0.0.1"): Promise<Visitor> {
    const place = typeof to === "string" ? { path: to } : { port: to, host };
    return new Promise((done, failed) => {
      const socket = connectTls({ ...place, rejectUnauthorized: false });
      socket.once("error", failed);
      socket.once("secureConnect", () => done(new Visitor(socket)));
    });
  }

  say(text: string): void {
    this.socket.write(text, "latin1");
  }

  /** Asks, and waits for the answer. */
  async ask(path: string, headers: Readonly<Record<string, string>> = {}, method = "GET"): Promise<Answer> {
    const from = this.heard.length;
    const all = { Host: "localhost", ...headers };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    this.say(`${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
    return await this.answer(from, method === "HEAD");
  }

  async answer(from = 0, isHead = false): Promise<Answer> {
    for (;;) {
      const read = readAnswer(this.heard.slice(from), isHead);
      if (read !== undefined) return read;
      if (this.socket.destroyed) throw new Error(`closed behind ${JSON.stringify(this.heard.slice(from))}`);
      // oxlint-disable-next-line no-await-in-loop -- each turn waits for more
      await new Promise<void>((resolve) => this.#changed.push(resolve));
    }
  }

  #change(): void {
    for (const wake of this.#changed.splice(0)) wake();
  }
}

function readAnswer(text: string, isHead: boolean): Answer | undefined {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const [first = "", ...lines] = text.slice(0, end).split("\r\n");
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const at = line.indexOf(": ");
    const name = line.slice(0, at).toLowerCase();
    headers[name] = [headers[name], line.slice(at + 2)].filter((one) => one !== undefined).join("; ");
  }
  const length = isHead ? 0 : Number(headers["content-length"] ?? "0");
  const body = text.slice(end + 4, end + 4 + length);
  return body.length < length ? undefined : { status: Number(first.split(" ")[1]), headers, body };
}

/** A server with some routes, until the test ends. */
export async function serving(
  options: Partial<AdminServerOptions> = {},
  more: readonly Route[] = [],
): Promise<{ readonly server: AdminServer; readonly address: string; readonly failures: unknown[] }> {
  const failures: unknown[] = [];
  const hello: Route = { path: "/hello", handle: (_, response) => answer(response, 200, TEXT, "hello\n") };
  const all = { listen: { host: "127.0.0.1", port: 0 }, hosts: [], ...options };
  const server = new AdminServer([hello, ...more], all, (error) => failures.push(error));
  onTestFinished(() => server.stop());
  return { server, address: await server.start(), failures };
}

export function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(":") + 1));
}
