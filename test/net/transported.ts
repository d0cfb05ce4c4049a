import { expect, onTestFinished } from "vitest";
import type { Address } from "../../src/config/address.ts";
import { SocketTransport } from "../../src/net/socket-transport.ts";
import type { Connection } from "../../src/session/connection.ts";
import type { Transport } from "../../src/upstream/transport.ts";
import { within } from "../proxy/peer.ts";
import { Noted } from "./noted.ts";

/** Plain TCP. */
const plain = new SocketTransport(120_000);

export interface Dial {
  readonly told: string[];
  readonly cancel: () => void;
  readonly connected: Promise<Noted>;
  readonly over: Promise<void>;
}

export function dial(address: Address, transport: Transport = plain): Dial {
  const told: string[] = [];
  let isConnected: (noted: Noted) => void = () => undefined;
  let isOver: () => void = () => undefined;
  const connected = new Promise<Noted>((resolve) => (isConnected = resolve));
  const over = new Promise<void>((resolve) => (isOver = resolve));
  const cancel = transport.dial(address, {
    connected: (connection) => {
      told.push("connected");
      const noted = new Noted(connection);
      onTestFinished(() => connection.carryOut("destroy"));
      isConnected(noted);
      isOver();
    },
    failed: (code) => {
      told.push(`failed ${code}`);
      isOver();
    },
  });
  expect(told, "not while dial runs").toEqual([]);
  return { told, cancel, connected: within(connected, "it connects"), over: within(over, "the dial is over") };
}

/** An address that is listened on, and what is told of it. */
export class Listening {
  readonly told: string[] = [];
  readonly clients: Noted[] = [];
  cause: unknown;
  address: Address | undefined;
  readonly giveUp: () => void;
  #changed: () => void = () => undefined;

  constructor(address: Address, transport: Transport = plain) {
    const giveUp = transport.listen(address, {
      listening: (at) => this.#note("listening", () => (this.address = at)),
      failed: (code, cause) => this.#note(`failed ${code}`, () => (this.cause = cause)),
      accepted: (client: Connection) => this.#note("accepted", () => this.clients.push(new Noted(client))),
      hindered: (code) => this.#note(`hindered ${code}`, () => undefined),
    });
    expect(this.told, "not while listen runs").toEqual([]);
    this.giveUp = giveUp;
    onTestFinished(() => {
      giveUp();
      for (const { connection } of this.clients) connection.carryOut("destroy");
    });
  }

  #note(what: string, work: () => void): void {
    work();
    this.told.push(what);
    this.#changed();
  }

  /** So many things were told. */
  async tells(count: number): Promise<void> {
    while (this.told.length < count) {
      await within(new Promise<void>((resolve) => (this.#changed = resolve)), `${count} things`);
    }
  }

  get port(): number {
    return this.address?.port ?? 0;
  }
}
