import type { AdmissionConfig } from "../config/admission.ts";
import type { AdmissionRules } from "../upstream/admission.ts";
import { Networks } from "./networks.ts";

/** What the configuration says of who may come. */
export function admissionRules(config: AdmissionConfig): AdmissionRules {
  const [allow, deny] = [new Networks(config.allow), new Networks(config.deny)];
  const { acceptProxy, clients, clientsPerAddress } = config;
  const balancers = new Networks(typeof acceptProxy === "boolean" ? [] : acceptProxy);
  return {
    permits: (host) => !deny.has(host) && (allow.isEmpty || allow.has(host)),
    isBalancer: (host) => acceptProxy === true || balancers.has(host),
    clients,
    clientsPerAddress,
  };
}
