/** The exact GELU, x·Φ(x), and its derivative in one pass: both need the same exponential. */
import { storePartRounded, storeRounded } from './bfloat16';
import { expBelow4, loadPart, multiplyAdd, normalTail4, storePart } from './math';

const INVERSE_SQRT_2_PI: f32 = 0.3989422804014327;

/** Φ(z), given e = exp(−z²/2). */
function normalCdf4(z: v128, e: v128): v128 {
  const tail = inline.always(normalTail4(f32x4.abs(z), e));
  return v128.bitselect(tail, f32x4.sub(f32x4.splat(1.0), tail), i32x4.shr_s(z, 31));
}

function halfSquareExp4(z: v128): v128 {
  return inline.always(expBelow4(f32x4.mul(f32x4.mul(z, z), f32x4.splat(-0.5))));
}

/** Φ(z) + z·φ(z) */
function derivative4(z: v128, cdf: v128, e: v128): v128 {
  // Multiplies by z last: e is 0 long before z² overflows, and 0·z is 0.
  return multiplyAdd(f32x4.mul(e, f32x4.splat(INVERSE_SQRT_2_PI)), z, cdf);
}

/** z ← z·Φ(z), and its derivative Φ(z) + z·φ(z), for `count` values. */
export function gelu(z: usize, derivative: usize, count: i32): void {
  const whole = count & ~3;
  let i = 0;
  // Two vectors at once: their chains of operations overlap, and constants are loaded once for both.
  for (; i + 8 <= whole; i += 8) {
    const p = z + ((<usize>i) << 2);
    const d = derivative + ((<usize>i) << 2);
    const x = v128.load(p);
    const y = v128.load(p, 16);
    const ex = inline.always(halfSquareExp4(x));
    const ey = inline.always(halfSquareExp4(y));
    const cdfX = inline.always(normalCdf4(x, ex));
    const cdfY = inline.always(normalCdf4(y, ey));
    v128.store(d, inline.always(derivative4(x, cdfX, ex)));
    v128.store(d, inline.always(derivative4(y, cdfY, ey)), 16);
    v128.store(p, f32x4.mul(x, cdfX));
    v128.store(p, f32x4.mul(y, cdfY), 16);
  }
  for (; i < whole; i += 4) {
    const p = z + ((<usize>i) << 2);
    const x = v128.load(p);
    const e = inline.always(halfSquareExp4(x));
    const cdf = inline.always(normalCdf4(x, e));
    v128.store(derivative + ((<usize>i) << 2), inline.always(derivative4(x, cdf, e)));
    v128.store(p, f32x4.mul(x, cdf));
  }
  const rest = count - whole;
  if (rest > 0) {
    const p = z + ((<usize>whole) << 2);
    const x = loadPart(p, rest, 0);
    const e = halfSquareExp4(x);
    const cdf = normalCdf4(x, e);
    storePart(derivative + ((<usize>whole) << 2), derivative4(x, cdf, e), rest);
    storePart(p, f32x4.mul(x, cdf), rest);
  }
}

/** y = z·Φ(z), and its derivative Φ(z) + z·φ(z), both in bfloat16, for `count` values. */
export function geluRounded(z: usize, y: usize, derivative: usize, count: i32): void {
  const rest = count & 3;
  const whole = <usize>(count - rest);
  for (let i: usize = 0; i < whole; i += 4) {
    const x = v128.load(z + (i << 2));
    const e = inline.always(halfSquareExp4(x));
    const cdf = inline.always(normalCdf4(x, e));
    inline.always(storeRounded(derivative + (i << 1), inline.always(derivative4(x, cdf, e))));
    inline.always(storeRounded(y + (i << 1), f32x4.mul(x, cdf)));
  }
  if (rest > 0) {
    const x = loadPart(z + (whole << 2), rest, 0);
    const e = halfSquareExp4(x);
    const cdf = normalCdf4(x, e);
    storePartRounded(derivative + (whole << 1), derivative4(x, cdf, e), rest);
    storePartRounded(y + (whole << 1), f32x4.mul(x, cdf), rest);
  }
}
