/** Loops that are written out, for what may not be indexed: matrices are variables of their own. */

/** WGSL: code for each of 0 … n − 1. */
export const repeat = (n: number, code: (i: number) => string): string =>
  Array.from({ length: n }, (_, i) => code(i)).join('\n');

/**
 * WGSL: code for all of 0 … n − 1, so many of them at a time.
 *
 * @param code Is given the WGSL of each.
 */
export function inChunks(n: number, size: number, code: (indices: string[]) => string): string {
  const whole = n - (n % size);
  const some = (count: number, first: string): string[] => Array.from({ length: count }, (_, i) => `${first} + ${i}u`);
  return `
    ${whole > 0 ? `for (var at = 0u; at < ${whole}u; at += ${size}u) { ${code(some(size, 'at'))} }` : ''}
    ${n > whole ? `{ ${code(some(n - whole, `${whole}u`))} }` : ''}`;
}
