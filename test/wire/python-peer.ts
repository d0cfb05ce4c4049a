import { spawn } from "node:child_process";
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Value } from "../../src/wire/value.ts";
import { PyTuple } from "../../src/wire/value.ts";
import { CACHE, install } from "../peers/install.ts";
import { peerNamed } from "../peers/peers.ts";
import { findPython } from "../peers/pythons.ts";

const SCRIPT = fileURLToPath(new URL("python/marshal_peer.py", import.meta.url));
const ANSWER_TIMEOUT_MS = 30_000;

/** A value in the form of `plain` in `marshal_peer.py`. */
export type Plain = null | boolean | { readonly [kind: string]: unknown };

/** A real ZEO's marshalling code, in a process of its Python. */
export class PythonPeer {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #waiting: ((answer: unknown) => void)[] = [];
  #errors = "";

  private constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child;
    createInterface({ input: child.stdout }).on("line", (line) => this.#waiting.shift()?.(JSON.parse(line)));
    child.stderr.on("data", (chunk: Buffer) => {
      this.#errors = (this.#errors + chunk.toString()).slice(-2000);
    });
  }

  /**
   * Starts the packages of a peer (see `test/peers/peers.ts`). Gives the reason where they are not there: only with
   * `ZEO_PEERS=required` are they installed, and what can't be installed fails.
   */
  static async start(name: string, protocol: "Z4" | "Z5" | "M5"): Promise<PythonPeer | string> {
    const required = process.env["ZEO_PEERS"] === "required";
    const peer = peerNamed(name);
    let packages = join(CACHE, peer.name);
    const python = await findPython(peer.python);
    if (required) {
      const result = await install(peer);
      if (result.type === "missing") throw new Error(`${name}: ${result.why}`);
      ({ packages } = result.installed);
    }
    if (python === undefined) return `${name}: no Python ${peer.python} found`;
    if (!existsSync(join(packages, "complete"))) return `${name}: not installed`;
    const env = { ...process.env, PYTHONPATH: packages, PYTHONDONTWRITEBYTECODE: "1" };
    return new PythonPeer(spawn(python, [SCRIPT, protocol], { env }));
  }

  /** What the peer reads in a message: `{tuple: [id, flags, method, args]}`. */
  async decode(payload: Buffer): Promise<Plain> {
    return (await this.#ask(["decode", payload.toString("hex")])) as Plain;
  }

  /** How the peer writes a message. */
  async encode(id: Plain, flags: Plain, method: Plain, args: Plain): Promise<Buffer> {
    const answer = await this.#ask(["encode", [id, flags, method, args]]);
    if (typeof answer !== "string") throw new Error(JSON.stringify(answer));
    return Buffer.from(answer, "hex");
  }

  stop(): void {
    this.#child.kill();
  }

  #ask(question: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no answer: ${this.#errors}`)), ANSWER_TIMEOUT_MS);
      this.#waiting.push((answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      this.#child.stdin.write(`${JSON.stringify(question)}\n`);
    });
  }
}

/** The same form of a `Value`. */
export function plain(value: Value): Plain {
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "string") return { text: value };
  if (typeof value === "bigint") return { int: value.toString() };
  if (typeof value === "number") return Number.isSafeInteger(value) ? { int: String(value) } : { float: String(value) };
  if (Buffer.isBuffer(value)) return { bytes: value.toString("hex") };
  if (value instanceof PyTuple) return { tuple: value.items.map(plain) };
  if (Array.isArray(value)) return { list: (value as readonly Value[]).map(plain) };
  if (value instanceof Map) {
    return { dict: [...(value as ReadonlyMap<Value, Value>)].map(([key, item]) => [plain(key), plain(item)]) };
  }
  throw new TypeError("instances are not compared");
}
