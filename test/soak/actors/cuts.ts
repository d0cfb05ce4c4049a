import { again, type Actor } from "../scene.ts";

/** Breaks a connection between the proxy and the server now and then. */
export const cuts: Actor = async (scene) => {
  await again(scene, 3_000, 10_000, () => {
    if (scene.breakOne?.(scene.random) === true) scene.tally.add("cut");
    return Promise.resolve();
  });
};
