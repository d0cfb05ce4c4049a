import { fork, type ChildProcess } from "node:child_process";
import type { Answer, Asks, Question } from "./answers.ts";

/** Nothing that is asked takes so long. */
const PATIENCE_MS = 90_000;

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** A process of this program's, and what it can be asked. */
export class Child<A extends Asks> {
  /** How it ends: with this status, or by this signal. */
  readonly ended: Promise<number | NodeJS.Signals>;
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #asked = 0;
  #gone: Error | undefined;

  /**
   * `file`: a compiled module that calls `answerParent`. `nodeOptions` go before it (`--cpu-prof`, ...), and `prefix` before
   * Node itself: a command that becomes what follows it (`taskset -c 1`).
   */
  constructor(
    file: string,
    args: readonly string[] = [],
    nodeOptions: readonly string[] = [],
    prefix: readonly string[] = [],
  ) {
    const [execPath, ...before] = [...prefix, process.execPath];
    this.#process = fork(file, [...args], { execPath, execArgv: [...before, ...nodeOptions] });
    this.#process.on("message", (message) => this.#answered(message as Answer));
    this.#process.on("error", (error) => this.#fail(error));
    this.#process.on("exit", (code, signal) => this.#fail(new Error(`${file} ended: ${signal ?? code}`)));
    this.ended = new Promise((resolve) => {
      this.#process.on("exit", (code, signal) => resolve(signal ?? code ?? 0));
    });
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  ask<K extends keyof A & string>(name: K, value: A[K]["ask"]): Promise<A[K]["answer"]> {
    return new Promise((resolve, reject) => {
      if (this.#gone !== undefined) {
        reject(this.#gone);
        return;
      }
      const number = ++this.#asked;
      const timer = setTimeout(() => this.#settle(number)?.reject(new Error(`${name}: no answer`)), PATIENCE_MS);
      this.#waiting.set(number, {
        resolve: (answer) => {
          clearTimeout(timer);
          resolve(answer);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      });
      const question: Question = { number, name, value };
      this.#process.send(question);
    });
  }

  signal(name: NodeJS.Signals): void {
    this.#process.kill(name);
  }

  /** Lets it end by itself (a profile is written then), or kills it. */
  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => this.#process.kill("SIGKILL"), 5_000);
      this.#process.once("exit", () => {
        clearTimeout(timer);
        resolve();
      });
      if (this.#process.connected) this.#process.disconnect();
    });
  }

  #settle(number: number): Waiting | undefined {
    const waiting = this.#waiting.get(number);
    this.#waiting.delete(number);
    return waiting;
  }

  #answered(answer: Answer): void {
    const waiting = this.#settle(answer.number);
    if ("error" in answer) waiting?.reject(new Error(answer.error));
    else waiting?.resolve(answer.value);
  }

  #fail(error: Error): void {
    this.#gone ??= error;
    for (const number of [...this.#waiting.keys()]) this.#settle(number)?.reject(error);
  }
}
