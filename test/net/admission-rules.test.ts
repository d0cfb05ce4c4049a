import { expect, it } from "vitest";
import { parseConfig } from "../../src/config/load.ts";
import { admissionRules } from "../../src/net/admission-rules.ts";
import type { AdmissionRules } from "../../src/upstream/admission.ts";

function rules(options: object): AdmissionRules {
  const [upstream] = parseConfig({ upstreams: [{ listen: "127.0.0.1:0", server: "a:1", ...options }] }).upstreams;
  if (upstream === undefined) throw new Error("no upstream");
  return admissionRules(upstream.admission);
}

it("everybody may come where nothing is said, known or not", () => {
  const { permits, isBalancer, clients, clientsPerAddress } = rules({});
  for (const host of ["10.0.0.1", "::1", undefined]) expect([permits(host), isBalancer(host)]).toEqual([true, false]);
  expect([clients, clientsPerAddress]).toEqual([1_000_000, 1_000_000]);
});

it("of a list that allows only those of it may come, and who is not known may not", () => {
  const { permits } = rules({ allow: ["10.0.0.0/8"] });
  expect(["10.1.2.3", "11.1.2.3", "::1", undefined].map(permits)).toEqual([true, false, false, false]);
});

it("of a list that denies nobody may come, whatever is allowed", () => {
  const { permits } = rules({ allow: ["10.0.0.0/8"], deny: ["10.9.0.0/16", "10.1.2.3"] });
  expect(["10.1.2.4", "10.1.2.3", "10.9.0.1", "11.0.0.1"].map(permits)).toEqual([true, false, false, false]);
  const { permits: others } = rules({ deny: ["10.9.0.0/16"] });
  expect(["10.9.0.1", "10.8.0.1", undefined].map(others)).toEqual([false, true, true]);
});

it("balancers are all, or those of a list", () => {
  expect(["10.0.0.1", undefined].map(rules({ "accept-proxy": true }).isBalancer)).toEqual([true, true]);
  expect(["10.0.0.1", undefined].map(rules({ "accept-proxy": false }).isBalancer)).toEqual([false, false]);
  const { isBalancer } = rules({ "accept-proxy": ["10.0.0.1"] });
  expect(["10.0.0.1", "10.0.0.2", undefined].map(isBalancer)).toEqual([true, false, false]);
});

it("limits are those of the upstream", () => {
  expect(rules({ clients: 7, "clients-per-address": 3 })).toMatchObject({ clients: 7, clientsPerAddress: 3 });
});
