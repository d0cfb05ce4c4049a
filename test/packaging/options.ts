import { z } from "zod";
import { configSchema } from "../../src/config/schema.ts";

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}

const { properties = {} } = z.toJSONSchema(configSchema, { io: "input" }) as Schema;
const ofUpstream = properties["upstreams"]?.items?.properties ?? {};

/** Options that an example has and this version of the proxy does not know yet. */
const TO_COME = ["admin", "allow", "accept-proxy"];

/** The configuration without those. */
export function withoutOptionsToCome(config: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const upstreams = (config["upstreams"] as Record<string, unknown>[]).map((one) => without(one, ofUpstream));
  return { ...without(config, properties), upstreams };
}

function without(map: Readonly<Record<string, unknown>>, known: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(map).filter(([key]) => key in known || !TO_COME.includes(key)));
}
