/** float32 → float16 (IEEE 754 binary16). Node has a Float16Array from version 24 on. */

/** The largest number of float16. */
export const MOST_HALF = 65504;

/** The bits of the nearest float16 of each value; of two, the even one. Values beyond the range become infinite. */
export function toHalf(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(values.length);
  for (let i = 0; i < halves.length; i++) halves[i] = halfOf(bits[i]!);
  return halves;
}

/** @param bits Of a float32: a sign, 8 bits of exponent (bias 127), 23 bits of fraction. */
function halfOf(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fff_ffff;
  const exponent = magnitude >>> 23;
  if (magnitude > 0x7f80_0000) return sign | 0x7e00; // NaN
  if (exponent >= 127 + 16) return sign | 0x7c00;
  // The exponent of float16 has a bias of 15. A fraction that is rounded up to 1 carries into it.
  if (exponent >= 127 - 14) return sign | shifted(magnitude - ((127 - 15) << 23), 13);
  // Below 2^-25 is 0. Subnormal numbers are multiples of 2^-24, and a float32 is its fraction · 2^(exponent − 150).
  if (exponent < 127 - 25) return sign;
  return sign | shifted((magnitude & 0x7f_ffff) | 0x80_0000, 126 - exponent);
}

/** value / 2^by, rounded to the nearest integer; of two, to the even one. */
function shifted(value: number, by: number): number {
  const quotient = value >>> by;
  const rest = value & ((1 << by) - 1);
  const half = 1 << (by - 1);
  return rest > half || (rest === half && quotient % 2 === 1) ? quotient + 1 : quotient;
}
