import { escapeText } from "../../log/text.ts";
import type { Phase } from "./follower.ts";
import { ungreeted } from "./reasons.ts";

/** How far the way to a server has come, for whoever waits for it. */
export class Approach {
  readonly #name: string;
  readonly #storage: string;
  readonly #isTls: boolean;
  #phase: Phase = "dialling";
  /** So it speaks as it is spoken to: what it is silent for now is something else. */
  #hasGreeted = false;

  /** @param isTls TLS is spoken with it */
  constructor(name: string, storage: string, isTls: boolean) {
    this.#name = name;
    this.#storage = storage;
    this.#isTls = isTls;
  }

  /** @returns what is waited for now */
  at(phase: Phase): string {
    this.#phase = phase;
    switch (phase) {
      case "dialling":
        return `connecting to ${this.#name}`;
      case "greeting":
        return [`connected to ${this.#name}, which has not greeted yet`, this.perhaps ?? []].flat().join(": ");
      case "entering":
        this.#hasGreeted = true;
        return `asking ${this.#name} for storage ${JSON.stringify(escapeText(this.#storage))}`;
      default:
        return phase satisfies never;
    }
  }

  /** What it may be, where the server has accepted and never greeted. */
  get perhaps(): string | undefined {
    return this.#phase === "greeting" && !this.#hasGreeted ? ungreeted(this.#isTls) : undefined;
  }
}
