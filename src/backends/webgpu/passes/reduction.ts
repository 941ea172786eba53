/** What a whole workgroup has found, put together pair by pair in workgroup memory: always the same pairs. */

/**
 * WGSL: declares `name(thread, value)`, which all invocations of the workgroup call together and which gives each of them
 * the whole.
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
