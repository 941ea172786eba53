/**
 * Vectorised elementary functions, four float32 at a time, to be inlined in the loops of the other files. The module
 * exports none of them.
 */

/** 1.5·2²³: adding and subtracting it rounds to the nearest integer. After the addition the low mantissa bits hold it. */
const ROUND: f32 = 12582912.0;
const ROUND_BITS: i32 = 0x4b400000;

/** c + a·b. Rounded once instead of twice if the module has relaxed SIMD and the processor supports it. */
export function multiplyAdd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(c, f32x4.mul(a, b));
}

/** c − a·b, rounded in the same way. */
export function multiplySubtract(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_nmadd(a, b, c);
  return f32x4.sub(c, f32x4.mul(a, b));
}

/** a + b·x */
function pair(a: f32, b: f32, x: v128): v128 {
  return multiplyAdd(f32x4.splat(b), x, f32x4.splat(a));
}

/** eˣ. Relative error ≤ 2e-7 for x in [−87, 88]; 0 below −87.7, Infinity above 88.4; NaN stays NaN. */
export function exp4(x: v128): v128 {
  // This order keeps a NaN: pmin(a, b) is b < a ? b : a.
  return inline.always(expBelow4(f32x4.pmin(x, f32x4.splat(88.8))));
}

/**
 * The same for x ≤ 88.8.
 *
 * x = n·ln 2 + r with |r| ≤ ½ ln 2; eʳ by a polynomial (Cephes' expf), times 2ⁿ, which is composed from its bits.
 */
export function expBelow4(x: v128): v128 {
  const clamped = f32x4.pmax(x, f32x4.splat(-88.0)); // keeps a NaN, too
  const shifted = multiplyAdd(clamped, f32x4.splat(1.44269504), f32x4.splat(ROUND));
  const n = f32x4.sub(shifted, f32x4.splat(ROUND));
  const high = multiplySubtract(n, f32x4.splat(0.693359375), clamped);
  const r = multiplySubtract(n, f32x4.splat(-2.1219444e-4), high);
  const r2 = f32x4.mul(r, r);
  // c₀ + c₁r + r²(c₂ + c₃r) + r⁴(c₄ + c₅r), in pairs: a chain half as long as Horner's
  const low = pair(5.0000001201e-1, 1.6666665459e-1, r);
  const middle = pair(4.1665795894e-2, 8.3334519073e-3, r);
  const top = pair(1.3981999507e-3, 1.98756915e-4, r);
  const p = multiplyAdd(r2, multiplyAdd(r2, top, middle), low);
  const exponential = f32x4.add(f32x4.splat(1.0), multiplyAdd(r2, p, r));
  // 2ⁿ: the exponent field of a float32 is n + 127
  const power = i32x4.shl(i32x4.add(shifted, i32x4.splat(127 - ROUND_BITS)), 23);
  return f32x4.mul(exponential, power);
}

/**
 * The normal distribution's lower tail Φ(−u) for u ≥ 0, given e = exp(−u²/2). Relative error ≤ 3e-7 (polynomial
 * 1.4e-7, the rest rounding), in addition to that of e.
 *
 * Φ(−u) = e·t·P(t) with t = 1/(1 + 0.23u), the form of Abramowitz & Stegun 7.1.26; P is of degree 7, fitted to the
 * smallest relative error over 0 ≤ u ≤ 13; beyond that Φ(−u) is below the range of float32.
 */
export function normalTail4(u: v128, e: v128): v128 {
  const one = f32x4.splat(1.0);
  const t = f32x4.div(one, multiplyAdd(u, f32x4.splat(0.23), one));
  const t2 = f32x4.mul(t, t);
  const t4 = f32x4.mul(t2, t2);
  const low = multiplyAdd(
    t2,
    pair(0.10610392261199512, -0.0007342672087735196, t),
    pair(0.09190775598814176, 0.0891419505728252, t),
  );
  const high = multiplyAdd(
    t2,
    pair(0.26885105905119844, -0.07388286518519442, t),
    pair(0.25360007582654, -0.2349875648531866, t),
  );
  const p = multiplyAdd(t4, high, low);
  return f32x4.mul(f32x4.mul(e, t), p);
}

/** Sum of the four lanes, in the order (0 + 2) + (1 + 3). */
export function sum4(x: v128): f32 {
  const pairs = f32x4.add(x, v128.shuffle<f32>(x, x, 2, 3, 0, 1));
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1);
}

/** Largest of the four lanes; NaN if one of them is NaN. */
export function max4(x: v128): f32 {
  const pairs = f32x4.max(x, v128.shuffle<f32>(x, x, 2, 3, 0, 1));
  return max<f32>(f32x4.extract_lane(pairs, 0), f32x4.extract_lane(pairs, 1));
}

/** The first `count` (1 to 3) floats at a pointer, with `fill` in the other lanes. Reads nothing beyond them. */
export function loadPart(p: usize, count: i32, fill: f32): v128 {
  let x = f32x4.replace_lane(f32x4.splat(fill), 0, load<f32>(p));
  if (count > 1) x = f32x4.replace_lane(x, 1, load<f32>(p, 4));
  if (count > 2) x = f32x4.replace_lane(x, 2, load<f32>(p, 8));
  return x;
}

/** Writes the first `count` (1 to 3) lanes and nothing beyond them. */
export function storePart(p: usize, x: v128, count: i32): void {
  store<f32>(p, f32x4.extract_lane(x, 0));
  if (count > 1) store<f32>(p, f32x4.extract_lane(x, 1), 4);
  if (count > 2) store<f32>(p, f32x4.extract_lane(x, 2), 8);
}
