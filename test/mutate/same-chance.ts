import fc from "fast-check";

// A mutant is found or not, whenever it is looked for.
fc.configureGlobal({ seed: 1 });
