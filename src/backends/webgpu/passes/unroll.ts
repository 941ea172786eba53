/** Loops that are written out, for what may not be indexed: matrices are variables of their own. */

/** WGSL: code for each of 0 … n − 1. */
export const repeat = (n: number, code: (i: number) => string): string =>
  Array.from({ length: n }, (_, i) => code(i)).join('\n');
