/** Unrolled loops for matrices, which are separate variables and cannot be indexed. */

/** WGSL: code for each of 0 … n − 1. */
export const repeat = (n: number, code: (i: number) => string): string =>
  Array.from({ length: n }, (_, i) => code(i)).join('\n');
