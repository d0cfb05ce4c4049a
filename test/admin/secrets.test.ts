import { chmodSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { readCredentials, readToken } from "../../src/admin/secrets.ts";
import { Token } from "../../src/admin/token.ts";

const TOKEN = "0123456789abcdef0123456789abcdef";
const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "zeo-proxy-secrets-"));
  onTestFinished(() => rmSync(made, { recursive: true }));
  return made;
}

function tokenFile(text: string, mode = 0o600): string {
  const file = join(folder(), "token");
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
}

describe("a token", () => {
  it("is the file's line", () => {
    expect(readToken(tokenFile(`${TOKEN}\n`))).toBe(TOKEN);
    expect(readToken(tokenFile(TOKEN, 0o640))).toBe(TOKEN);
  });

  it.each(["", "short", "x".repeat(31), "x".repeat(1025), `${TOKEN} ${TOKEN}`, `${TOKEN}\n${TOKEN}`, `${TOKEN}é`])(
    "can't be another text (case %#)",
    (text) => {
      expect(() => readToken(tokenFile(text))).toThrow("expected a line of 32 to 1024 visible characters");
    },
  );

  it.each([0o604, 0o602, 0o666, 0o601])("may not be others' to use (%o)", (mode) => {
    expect(() => readToken(tokenFile(TOKEN, mode))).toThrow("expected a file that nobody but its owner and its group");
  });

  it("must be there", () => {
    expect(() => readToken(join(folder(), "none"))).toThrow(
      /admin\.token-file: expected a file that can be read, got ENOENT/,
    );
    expect(() => readToken(folder())).toThrow(/expected a file that (?:can be read|nobody)/);
  });

  it("is no message's affair", () => {
    expect(() => readToken(tokenFile("not a token"))).toThrow(expect.not.stringContaining("not a token") as Error);
  });

  it("is in a header as Bearer, or as the password of Basic, and nowhere else", () => {
    const token = new Token(TOKEN);
    const basic = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`;
    for (const header of [`Bearer ${TOKEN}`, `bearer ${TOKEN}`, basic(`:${TOKEN}`), basic(`me:${TOKEN}`)]) {
      expect(token.isIn(header), header).toBe(true);
    }
    const wrong = [
      undefined,
      "",
      TOKEN,
      `Bearer`,
      `Bearer ${TOKEN}x`,
      `Bearer ${TOKEN} x`,
      `Digest ${TOKEN}`,
      basic(`${TOKEN}:`),
    ];
    for (const header of wrong) expect(token.isIn(header), header).toBe(false);
  });
});

describe("a certificate and its key", () => {
  function copied(name: string, mode: number): string {
    const file = join(folder(), name);
    copyFileSync(fixture(name), file);
    chmodSync(file, mode);
    return file;
  }

  it("are read; the key is nobody else's", () => {
    const key = copied("key.pem", 0o600);
    expect(readCredentials(fixture("certificate.pem"), key)).toEqual({
      cert: expect.stringContaining("BEGIN CERTIFICATE") as string,
      key: expect.stringContaining("PRIVATE KEY") as string,
    });
    chmodSync(key, 0o644);
    expect(() => readCredentials(fixture("certificate.pem"), key)).toThrow(
      /^admin\.tls\.key: expected a file that nobody/,
    );
  });

  it("must be what they are called", () => {
    const key = copied("key.pem", 0o600);
    expect(() => readCredentials(key, key)).toThrow(/^admin\.tls: expected a certificate and its key/);
  });
});
