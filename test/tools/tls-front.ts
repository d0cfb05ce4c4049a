import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer } from "node:tls";
import { onTestFinished } from "vitest";

/** Where TLS is spoken, and by whom. */
export interface TlsFront {
  readonly port: number;
  readonly certificate: Buffer;
}

/** A TLS port before a server, until the test ends. Its certificate has signed itself, and is of `zeo.test`. */
export async function tlsBefore({ port }: { port: number }, subject = "/CN=zeo.test"): Promise<TlsFront> {
  const { certificate, key } = selfSigned(subject);
  const front = createServer({ cert: certificate, key }, (socket) => {
    const inner = connect(port, "127.0.0.1");
    socket.pipe(inner).pipe(socket);
    for (const one of [socket, inner]) one.on("error", () => one.destroy());
  });
  await new Promise<void>((resolve) => front.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    front.close();
  });
  return { port: (front.address() as { port: number }).port, certificate };
}

/** A certificate of `zeo.test` that has signed itself, and its key. */
export function selfSigned(subject = "/CN=zeo.test"): { certificate: Buffer; key: Buffer } {
  const folder = mkdtempSync(join(tmpdir(), "zeo-proxy-tls-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [keyFile, file] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  execFileSync(
    "openssl",
    [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "5"],
      ...["-keyout", keyFile, "-out", file, "-subj", subject, "-addext", "subjectAltName=DNS:zeo.test"],
    ],
    { stdio: "ignore" },
  );
  return { certificate: readFileSync(file), key: readFileSync(keyFile) };
}
