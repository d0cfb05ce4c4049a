import { once } from "node:events";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { connect as connectPlain, type Socket } from "node:net";
import { connect, createServer, type TLSSocket, type ConnectionOptions, type TlsOptions } from "node:tls";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { ConfigError } from "../../src/config/problem.ts";
import type { ServerTlsConfig, TlsConfig } from "../../src/config/transport-schema.ts";
import { Credentials } from "../../src/net/credentials.ts";
import { SocketConnection } from "../../src/net/socket-connection.ts";
import { SocketTransport, type TransportParts } from "../../src/net/socket-transport.ts";
import { handshakeFault, TlsAcceptor } from "../../src/net/tls-acceptor.ts";
import { within } from "../proxy/peer.ts";
import { copies, fixture, type Copies } from "./certificates.ts";
import { portOf } from "./loopback.ts";
import { dial, Listening } from "./transported.ts";

const HOST = "127.0.0.1";
const CA = readFileSync(fixture("ca.pem"));

let files: Copies;
beforeAll(() => {
  files = copies();
  return () => files.remove();
});

function forClients(settings: Partial<TlsConfig> = {}): Credentials<TlsConfig> {
  const own = { certificate: files.of("proxy.pem"), key: files.of("proxy.key") };
  return new Credentials<TlsConfig>({ ...own, clients: "none", minimum: "1.2", ...settings }, "upstreams[0].tls");
}

interface Failure {
  readonly party: string;
  readonly code: string;
}

/** A listening transport with TLS. */
async function listens(
  tls: Credentials<TlsConfig>,
  handshakeMs = 60_000,
): Promise<{ listening: Listening; port: number; failures: Failure[]; failed: () => Promise<void> }> {
  const failures: Failure[] = [];
  let tell: () => void = () => undefined;
  const transport = new SocketTransport(120_000, {
    tls,
    handshakeMs,
    tlsFailed: (party, _, code) => {
      failures.push({ party, code });
      tell();
    },
  });
  const listening = new Listening({ host: HOST, port: 0 }, transport);
  await listening.tells(1);
  const failed = async (): Promise<void> => {
    if (failures.length === 0) await within(new Promise<void>((resolve) => (tell = resolve)), "a failure");
  };
  return { listening, port: listening.port, failures, failed };
}

async function client(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ port, host: HOST, ca: CA, servername: "proxy.example", ...options });
  socket.on("error", () => undefined);
  onTestFinished(() => void socket.destroy());
  await within(once(socket, "secureConnect"), "a handshake");
  return socket;
}

function plainClient(port: number): Socket {
  const socket = connectPlain({ port, host: HOST });
  socket.on("error", () => undefined);
  onTestFinished(() => void socket.destroy());
  return socket;
}

describe("a client with TLS", () => {
  it("is a connection like others: bytes of any number to and fro, its half closed and ours not", async () => {
    const { listening, port } = await listens(forClients());
    const socket = await client(port, { allowHalfOpen: true } as ConnectionOptions);
    await listening.tells(2);
    const [noted] = listening.clients;
    expect(noted?.connection.peer).toBe(`${HOST}:${socket.localPort}`);
    expect(noted?.connection).toBeInstanceOf(SocketConnection);
    const bytes = Buffer.alloc(300_000, "0123456789");
    socket.end(bytes);
    await noted?.hears("ended");
    expect(noted?.bytes.equals(bytes)).toBe(true);
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    noted?.connection.write(bytes);
    noted?.connection.carryOut("end");
    await within(once(socket, "end"), "its end");
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
    await noted?.hears("closed");
  });

  it("that reads nothing is behind, and its progress is seen when it reads", async () => {
    const { listening, port } = await listens(forClients());
    const socket = await client(port);
    socket.pause();
    await listening.tells(2);
    const connection = listening.clients[0]?.connection;
    for (let n = 0; n < 200; n++) connection?.write(Buffer.alloc(64 * 1024));
    expect(connection?.isBehind).toBe(true);
    expect(connection?.queuedBytes).toBeGreaterThan(1_000_000);
    const before = connection?.progress;
    socket.resume();
    await listening.clients[0]?.hears("drained");
    expect(connection?.progress).not.toBe(before);
    expect(await new Promise((told) => connection?.ask(told))).toMatchObject({ hasLeft: false });
  });

  it.each([
    ["TLSv1.1", "1.2", false],
    ["TLSv1.2", "1.2", true],
    ["TLSv1.2", "1.3", false],
    ["TLSv1.3", "1.3", true],
  ] as const)("of %s, where %s is the least: %s", async (version, minimum, isGood) => {
    const { port, failures, failed } = await listens(forClients({ minimum }));
    const asked = client(port, { minVersion: version, maxVersion: version, ciphers: "DEFAULT@SECLEVEL=0" });
    if (isGood) {
      await asked;
      expect(failures).toEqual([]);
      return;
    }
    await expect(asked).rejects.toThrow(/alert|version|protocol|disconnected|ECONNRESET/);
    await failed();
    expect(failures).toEqual([{ party: "client", code: "ERR_SSL_UNSUPPORTED_PROTOCOL" }]);
  });

  const CERTIFICATES = ["none", "client", "stranger"] as const;
  const ACCEPTED = {
    none: ["none", "client", "stranger"],
    optional: ["none", "client"],
    required: ["client"],
  } as const satisfies Record<TlsConfig["clients"], readonly string[]>;
  const cases = (["none", "optional", "required"] as const).flatMap((clients) =>
    CERTIFICATES.map((shown) => [clients, shown] as const),
  );
  it.each(cases)("of which certificates are %s, and that shows: %s", async (clients, shown) => {
    const ca = clients === "none" ? undefined : fixture("ca.pem");
    const { listening, port, failures, failed } = await listens(forClients({ clients, ca }));
    const own =
      shown === "none"
        ? {}
        : { cert: readFileSync(fixture(`${shown}.pem`)), key: readFileSync(fixture(`${shown}.key`)) };
    // With TLS 1.3 a client is told behind its handshake.
    const asked = client(port, own).catch(() => undefined);
    const accepted: readonly string[] = ACCEPTED[clients];
    if (accepted.includes(shown)) {
      await listening.tells(2);
      expect(failures).toEqual([]);
      return;
    }
    await failed();
    await asked;
    expect(listening.told).toEqual(["listening"]);
    const code = shown === "none" ? "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE" : "DEPTH_ZERO_SELF_SIGNED_CERT";
    expect(failures).toEqual([{ party: "client", code }]);
  });

  it("that speaks something else is told of; a probe that leaves without a word is not", async () => {
    const { listening, port, failures, failed } = await listens(forClients());
    for (const leave of ["end", "resetAndDestroy"] as const) {
      const probe = plainClient(port);
      await once(probe, "connect");
      probe[leave]();
      await within(once(probe.resume(), "close"), "its close");
    }
    const socket = plainClient(port);
    socket.write("GET / HTTP/1.0\r\n\r\n");
    await within(once(socket.resume(), "close"), "its close");
    await failed();
    expect(failures).toEqual([{ party: "client", code: "ERR_SSL_HTTP_REQUEST" }]);
    expect(listening.told).toEqual(["listening"]);
  });

  it("that does not go on with its handshake is closed when that has taken too long", async () => {
    const { port, failures } = await listens(forClients(), 200);
    const sockets = [plainClient(port), plainClient(port)];
    sockets[1]?.write(Buffer.from("160301", "hex"));
    await within(Promise.all(sockets.map((socket) => once(socket.resume(), "close"))), "their closes");
    expect(failures.map(({ code }) => code)).toEqual(["ERR_TLS_HANDSHAKE_TIMEOUT", "ERR_TLS_HANDSHAKE_TIMEOUT"]);
  });

  it("that leaves within its handshake is not waited for", async () => {
    const { port, failures, failed } = await listens(forClients(), 600_000);
    for (const said of ["160301", "16030102000100"]) {
      const socket = plainClient(port);
      socket.end(Buffer.from(said, "hex"));
      await within(once(socket.resume(), "close"), "its close");
    }
    await failed();
    expect(failures.map(({ code }) => code)).toEqual(["ECONNRESET", "ECONNRESET"]);
  });

  it("whose address is given up during its handshake is closed, and nothing is told", async () => {
    const { listening, port, failures } = await listens(forClients());
    const silent = plainClient(port);
    await once(silent, "connect");
    const good = await client(port);
    await listening.tells(2);
    listening.giveUp();
    await within(once(silent.resume(), "close"), "its close");
    good.write("abc");
    await listening.clients[0]?.reads(3);
    expect(failures).toEqual([]);
  });
});

describe("a flood of handshakes that nobody goes on with", () => {
  it("costs no more than so many, and keeps nobody else out", async () => {
    const most = 20;
    const told: string[] = [];
    const secure: TLSSocket[] = [];
    const acceptor = new TlsAcceptor(
      forClients(),
      () => 60_000,
      {
        secure: (one) => {
          secure.push(one);
          one.write("you are in");
        },
        failed: (code) => told.push(code),
        left: () => undefined,
      },
      most,
    );
    const { createServer: listen } = await import("node:net");
    const server = listen({ pauseOnConnect: true }, (socket) =>
      acceptor.take(socket, { host: HOST, peer: "peer" }),
    ).listen(0, HOST);
    await once(server, "listening");
    onTestFinished(() => {
      server.close();
      acceptor.stop();
      for (const one of secure) one.destroy();
    });
    const port = portOf(server.address());
    for (let round = 0; round < 10; round++) {
      const flood = Array.from({ length: 10 }, () => plainClient(port));
      await Promise.all(flood.map((socket) => once(socket, "connect")));
      await within(once(await client(port), "data"), "a word");
      expect(acceptor.pending).toBeLessThanOrEqual(most);
    }
    expect(secure).toHaveLength(10);
    expect(new Set(told)).toEqual(new Set(["too-many-handshakes"]));
    expect(new Set(told.map(handshakeFault))).toEqual(new Set(["too-many-handshakes"]));
    acceptor.stop();
    expect(acceptor.pending).toBe(0);
  });
});

/** A server with TLS of the test's. */
async function tlsServer(options: TlsOptions = {}): Promise<number> {
  const own = { cert: readFileSync(fixture("zeo.pem")), key: readFileSync(fixture("zeo.key")) };
  const listening = createServer({ ...own, ...options }, (socket) => {
    socket.on("error", () => undefined);
    onTestFinished(() => void socket.destroy());
    socket.pipe(socket);
  }).listen(0, HOST);
  listening.on("tlsClientError", () => undefined);
  await once(listening, "listening");
  onTestFinished(() => void listening.close());
  return portOf(listening.address());
}

interface Identity extends Partial<ServerTlsConfig> {
  readonly to?: string;
}

function toServer({ to = HOST, name, ...settings }: Identity, rest: TransportParts = {}): SocketTransport {
  const credentials = new Credentials<ServerTlsConfig>(
    { verify: "on", minimum: "1.2", ...settings },
    "upstreams[0].server-tls",
  );
  const names = () => ({ askedName: name, name: name ?? to });
  return new SocketTransport(120_000, { serverTls: { credentials, names }, ...rest });
}

describe("a server with TLS", () => {
  it("is dialled: bytes of any number to and fro", async () => {
    const port = await tlsServer();
    const transport = toServer({ ca: fixture("ca.pem"), name: "zeo.example" });
    const noted = await dial({ host: HOST, port }, transport).connected;
    expect(noted.connection.peer).toBe(`${HOST}:${port}`);
    const bytes = Buffer.alloc(300_000, "0123456789");
    noted.connection.write(bytes);
    await noted.reads(bytes.length);
    expect(noted.bytes.equals(bytes)).toBe(true);
    noted.connection.carryOut("end");
    await noted.hears("closed");
  });

  it.each<[string, Identity, string | undefined]>([
    ["of the authority, by its address", { ca: "ca.pem" }, undefined],
    ["of the authority, by its name", { ca: "ca.pem", name: "zeo.example" }, undefined],
    ["itself is the authority", { ca: "zeo.pem", name: "zeo.example" }, "UNABLE_TO_VERIFY_LEAF_SIGNATURE"],
    ["of another name", { ca: "ca.pem", name: "other.example" }, "ERR_TLS_CERT_ALTNAME_INVALID"],
    ["of another authority", { ca: "stranger.pem", name: "zeo.example" }, "UNABLE_TO_VERIFY_LEAF_SIGNATURE"],
    ["of an authority that is not Node's", { name: "zeo.example" }, "UNABLE_TO_VERIFY_LEAF_SIGNATURE"],
    ["that nobody looks at", { verify: "off" }, undefined],
  ])("whose certificate is %s", async (_, { ca, ...identity }, code) => {
    const port = await tlsServer();
    const transport = toServer({ ...identity, ca: ca === undefined ? undefined : fixture(ca) });
    const { told, over, connected } = dial({ host: HOST, port }, transport);
    connected.catch(() => undefined);
    await over;
    expect(told).toEqual([code === undefined ? "connected" : `failed ${code}`]);
  });

  it("that speaks no TLS, or stays silent: the dial fails, or is cancelled and closed", async () => {
    const { createServer: listen } = await import("node:net");
    const sockets: Socket[] = [];
    const plain = listen((socket) => {
      sockets.push(socket.on("error", () => undefined));
      if (sockets.length === 1) socket.write("\0\0\0\x04Z3101");
    }).listen(0, HOST);
    await once(plain, "listening");
    onTestFinished(() => void plain.close());
    const to = { host: HOST, port: portOf(plain.address()) };
    const transport = toServer({ verify: "off" });
    const failed = dial(to, transport);
    failed.connected.catch(() => undefined);
    await failed.over;
    expect(failed.told).toEqual(["failed ERR_SSL_WRONG_VERSION_NUMBER"]);
    const silent = dial(to, transport);
    for (const promise of [silent.connected, silent.over]) promise.catch(() => undefined);
    await within(once(plain, "connection"), "a connection");
    silent.cancel();
    await within(once((sockets[1] as Socket).resume(), "close"), "its close");
    expect(silent.told).toEqual([]);
  });

  it("that wants a certificate is shown one; without one it is told why the connection ends", async () => {
    const port = await tlsServer({ requestCert: true, ca: CA });
    const own = { certificate: files.of("client.pem"), key: files.of("client.key") };
    const noted = await dial({ host: HOST, port }, toServer({ ca: fixture("ca.pem"), ...own })).connected;
    noted.connection.write(Buffer.from("abc"));
    await noted.reads(3);
    const failures: string[] = [];
    const tlsFailed = (party: string, peer: string, code: string): void =>
      void failures.push(`${party} ${peer} ${code}`);
    const without = await dial({ host: HOST, port }, toServer({ ca: fixture("ca.pem") }, { tlsFailed })).connected;
    await without.hears("closed");
    expect(failures).toEqual([`server ${HOST}:${port} ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED`]);
  });
});

describe("certificates that are read again", () => {
  it("are shown to who comes then; who is there stays, and what is wrong changes nothing", async () => {
    const own = { certificate: files.of("proxy.pem", "now.pem"), key: files.of("proxy.key", "now.key") };
    const credentials = forClients(own);
    const { listening, port } = await listens(credentials);
    const first = await client(port);
    expect(first.getPeerCertificate().subject.CN).toBe("proxy.example");

    copyFileSync(fixture("zeo.pem"), own.certificate);
    expect(() => credentials.reload()).toThrow(ConfigError);
    expect((await client(port)).getPeerCertificate().subject.CN).toBe("proxy.example");
    writeFileSync(own.key, "nothing");
    expect(() => credentials.reload()).toThrow("upstreams[0].tls.key: expected a private key");
    expect((await client(port)).getPeerCertificate().subject.CN).toBe("proxy.example");

    files.of("zeo.key", "now.key");
    credentials.reload();
    expect((await client(port, { servername: "zeo.example" })).getPeerCertificate().subject.CN).toBe("zeo.example");
    first.write("abc");
    await listening.clients[0]?.reads(3);
  });

  it("hold for the next dial as well", async () => {
    const port = await tlsServer();
    const ca = files.of("stranger.pem", "trusted.pem");
    const credentials = new Credentials<ServerTlsConfig>(
      { ca, verify: "on", minimum: "1.2" },
      "upstreams[0].server-tls",
    );
    const transport = new SocketTransport(120_000, {
      serverTls: { credentials, names: () => ({ askedName: undefined, name: HOST }) },
    });
    const failed = dial({ host: HOST, port }, transport);
    failed.connected.catch(() => undefined);
    await failed.over;
    expect(failed.told).toEqual(["failed UNABLE_TO_VERIFY_LEAF_SIGNATURE"]);
    files.of("ca.pem", "trusted.pem");
    credentials.reload();
    await dial({ host: HOST, port }, transport).connected;
  });
});
