import { describe, expect, test } from "vitest";
import { install } from "./install.ts";
import type { Peer } from "./peers.ts";
import { refusal } from "./setup.ts";

const nowhere: Peer = { name: "no-such", python: "1.5", packages: [], family: "old", announces: "modified-only" };

describe("install", () => {
  test("names a version whose Python is missing", async () => {
    expect(await install(nowhere)).toEqual({ type: "missing", peer: nowhere, why: "no Python 1.5 found" });
  });

  test("a missing one fails the run only where it is required", async () => {
    const results = [await install(nowhere)];
    expect(refusal("required", results)).toContain("no-such: no Python 1.5 found");
    expect(refusal(undefined, results)).toBeUndefined();
    expect(refusal("required", [])).toBeUndefined();
  });
});
