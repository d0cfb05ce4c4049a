import { askAdmin, NoAnswer, type Admin } from "../admin-request.ts";

/** Asks a running proxy for its status. @throws NoAnswer */
export async function fetchStatus(admin: Admin): Promise<unknown> {
  const { status, body } = await askAdmin(admin, "status.json");
  const fail = (why: string): never => {
    throw new NoAnswer(`${admin.place.name}: ${why}`);
  };
  if (status !== 200) return fail(`the answer is HTTP ${status}: no zeo-proxy?`);
  try {
    return JSON.parse(body);
  } catch {
    return fail("the answer is no JSON: no zeo-proxy?");
  }
}
