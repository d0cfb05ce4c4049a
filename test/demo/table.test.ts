import { describe, expect, it } from "vitest";
import { changedBy, SCRIPT } from "../../src/demo/script.ts";
import { isComplete } from "../../src/demo/play.ts";
import { Table } from "../../src/demo/table.ts";

const ONE = "0000000000000001";
const ELEVEN = "000000000000000b";

describe("Table", () => {
  const plain = new Table(false);

  it("writes what each client was told in its own column", () => {
    const line = plain.row({
      title: "creates",
      subject: [ONE, ELEVEN],
      changed: [ONE, ELEVEN],
      direct: [],
      proxied: [ONE, ELEVEN],
    });
    const head = plain.head().split("\n")[0] as string;
    expect(line.startsWith("  creates 1 11 ")).toBe(true);
    expect(line.indexOf("message without oids")).toBe(head.indexOf("watcher on the server"));
    expect(line.lastIndexOf("1 11")).toBe(head.indexOf("watcher behind the proxy"));
  });

  it("tells a silent server from an empty message, and fits a terminal", () => {
    const silent = plain.row({ title: "creates", subject: [ONE], changed: [ONE], direct: undefined, proxied: [ONE] });
    expect(silent).toContain("no message");
    for (const line of [silent, ...plain.head().split("\n")]) expect(line.length).toBeLessThanOrEqual(80);
  });

  it("uses colours only when it is told to", () => {
    const seen = { title: "creates", subject: [ONE], changed: [ONE], direct: [], proxied: [ONE] };
    expect(plain.row(seen)).not.toContain("\u001b[");
    expect(new Table(true).row(seen)).toContain("\u001b[31m");
  });
});

describe("the script", () => {
  it("has a commit of each sort", () => {
    const kinds = SCRIPT.map(({ changes }) => Object.keys(changes).filter((key) => key !== "records"));
    expect(kinds).toContainEqual(["create"]);
    expect(kinds).toContainEqual(["modify"]);
    expect(kinds).toContainEqual(["modify", "create"]);
    expect(kinds).toContainEqual(["delete"]);
    expect(kinds).toContainEqual(["restore"]);
  });

  it("expects all objects of a commit to be named", () => {
    expect(changedBy({ create: [ELEVEN], modify: [ONE], delete: [ONE] })).toEqual([ONE, ELEVEN]);
    expect(isComplete([ONE, ELEVEN], [ONE])).toBe(true);
    expect(isComplete([ELEVEN], [ONE])).toBe(false);
    expect(isComplete(undefined, [])).toBe(false);
  });
});
