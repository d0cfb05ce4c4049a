import { expect, test } from "vitest";
import { parseConfig } from "../../src/config/load.ts";
import { parseAdmin, placeOf } from "../../src/tools/admin-place.ts";
import { formatTarget } from "../../src/tools/target.ts";

test.each([
  ["127.0.0.1:9180", "127.0.0.1:9180", "/", false],
  ["[::1]:9180", "[::1]:9180", "/", false],
  ["https://a.example/proxy", "a.example:443", "/proxy/", true],
  ["http://a.example/", "a.example:80", "/", false],
  ["https://[::1]:1/x/", "[::1]:1", "/x/", true],
  ["/run/zeo-proxy/admin.sock", "/run/zeo-proxy/admin.sock", "/", false],
])("the address %j", (text, target, root, isSecure) => {
  const place = parseAdmin(text);
  expect(place).toMatchObject({ root, isSecure });
  expect(place && formatTarget(place.target)).toBe(target);
});

test.each(["a b", "", "http://u:p@a:1", "a:1/?x", "a:0", "/", "/run/", `/${"x".repeat(107)}`])("%j is none", (text) => {
  expect(parseAdmin(text)).toBeUndefined();
});

function configured(listen: string): ReturnType<typeof placeOf> {
  const upstreams = [{ listen: "127.0.0.1:9100", server: "127.0.0.1:8100" }];
  const more = { "token-file": "/token", tls: { certificate: "/certificate", key: "/key" } };
  const { admin } = parseConfig({ upstreams, admin: { listen, ...more } });
  return admin && placeOf(admin);
}

test.each([
  ["127.0.0.1:9180", "127.0.0.1:9180"],
  ["0.0.0.0:9180", "127.0.0.1:9180"],
  ["[::]:9180", "[::1]:9180"],
  ["proxy.example:9180", "proxy.example:9180"],
  ["/run/admin.sock", "/run/admin.sock"],
])("who listens at %s is asked on its own machine at %s, by a name that it always has", (listen, name) => {
  const place = configured(listen);
  expect(place).toMatchObject({ name, host: "localhost", isSecure: true });
  expect(place && formatTarget(place.target)).toBe(name);
});

test("port 0 is nobody's", () => {
  expect(configured("127.0.0.1:0")).toBeUndefined();
});
