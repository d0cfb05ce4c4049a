import { again, type Actor } from "../scene.ts";

/** Breaks a connection between the proxy and the server now and then. */
export const cuts: Actor = async (scene) => {
  await again(scene, 4_000, 15_000, () => {
    if (scene.breakOne?.(scene.random) === true) scene.tally.add("cut");
    return Promise.resolve();
  });
};
