/**
 * Reductions over a workgroup, pair by pair in workgroup memory. The order of the pairs is fixed, so the result is too.
 */

/**
 * WGSL: declares `name(thread, value)`. All invocations of the workgroup call it together, and each receives the result.
 *
 * @param threads A power of two.
 * @param join WGSL of two values joined.
 */
export const reduction = (
  name: string,
  type: string,
  threads: number,
  join: (a: string, b: string) => string,
): string => `
  var<workgroup> ${name}Shares: array<${type}, ${threads}>;
  fn ${name}(thread: u32, value: ${type}) -> ${type} {
    ${name}Shares[thread] = value;
    workgroupBarrier();
    for (var half = ${Math.floor(threads / 2)}u; half > 0u; half /= 2u) {
      if (thread < half) { ${name}Shares[thread] = ${join(`${name}Shares[thread]`, `${name}Shares[thread + half]`)}; }
      workgroupBarrier();
    }
    let whole = ${name}Shares[0];
    workgroupBarrier();
    return whole;
  }`;
