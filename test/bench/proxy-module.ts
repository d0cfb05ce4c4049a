/** The proxy as it is installed, seen from where this is compiled to: .cache/bench/test/bench */
export const PROXY = new URL("../../../../dist/index.js", import.meta.url).href;
