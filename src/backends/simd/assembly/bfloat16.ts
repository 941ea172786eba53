/**
 * bfloat16: the upper 16 bits of a float32. Rounds to it and widens from it, four values at a time. Strides and lengths count
 * values.
 */

/** What a NaN becomes: adding the rounding to its bits could give −0. */
const QUIET_NAN = 0x7fc0;

/** Four bfloat16, each in the lower half of a lane: rounded to nearest, ties to even. */
function round4(x: v128): v128 {
  const odd = v128.and(i32x4.shr_u(x, 16), i32x4.splat(1));
  const rounded = i32x4.shr_u(i32x4.add(i32x4.add(x, i32x4.splat(0x7fff)), odd), 16);
  return v128.bitselect(i32x4.splat(QUIET_NAN), rounded, f32x4.ne(x, x));
}

/** Rounds and writes four values: 8 bytes. */
export function storeRounded(p: usize, x: v128): void {
  const rounded = inline.always(round4(x));
  v128.store64_lane(p, i16x8.narrow_i32x4_u(rounded, rounded), 0);
}

/** Rounds and writes the first `count` (1 to 3) lanes, and nothing beyond them. */
export function storePartRounded(p: usize, x: v128, count: i32): void {
  const rounded = round4(x);
  store<u16>(p, <u16>i32x4.extract_lane(rounded, 0));
  if (count > 1) store<u16>(p, <u16>i32x4.extract_lane(rounded, 1), 2);
  if (count > 2) store<u16>(p, <u16>i32x4.extract_lane(rounded, 2), 4);
}

/** Four values, widened: exact. */
export function loadRounded(p: usize): v128 {
  return i32x4.shl(i32x4.extend_low_i16x8_u(v128.load64_zero(p)), 16);
}

/** One value, widened. */
export function loadRoundedOne(p: usize): f32 {
  return reinterpret<f32>((<u32>load<u16>(p)) << 16);
}

/** The first `count` (1 to 3) values at a pointer, widened, with 0 in the other lanes. Reads nothing beyond them. */
export function loadPartRounded(p: usize, count: i32): v128 {
  let x = f32x4.replace_lane(f32x4.splat(0), 0, loadRoundedOne(p));
  if (count > 1) x = f32x4.replace_lane(x, 1, loadRoundedOne(p + 2));
  if (count > 2) x = f32x4.replace_lane(x, 2, loadRoundedOne(p + 4));
  return x;
}

/** Rounds rows of float32 to rows of bfloat16. */
export function roundRows(x: usize, xStride: i32, out: usize, outStride: i32, rows: i32, columns: i32): void {
  const rest = columns & 3;
  const whole = <usize>(columns - rest);
  for (let i = 0; i < rows; i++) {
    for (let j: usize = 0; j < whole; j += 4) inline.always(storeRounded(out + (j << 1), v128.load(x + (j << 2))));
    for (let j = whole; j < <usize>columns; j++) {
      storePartRounded(out + (j << 1), v128.load32_zero(x + (j << 2)), 1);
    }
    x += (<usize>xStride) << 2;
    out += (<usize>outStride) << 1;
  }
}

/** Widens rows of bfloat16 to rows of float32. */
export function widenRows(x: usize, xStride: i32, out: usize, outStride: i32, rows: i32, columns: i32): void {
  const rest = columns & 3;
  const whole = <usize>(columns - rest);
  for (let i = 0; i < rows; i++) {
    for (let j: usize = 0; j < whole; j += 4) v128.store(out + (j << 2), inline.always(loadRounded(x + (j << 1))));
    for (let j = whole; j < <usize>columns; j++) store<f32>(out + (j << 2), loadRoundedOne(x + (j << 1)));
    x += (<usize>xStride) << 1;
    out += (<usize>outStride) << 2;
  }
}

/** out = a·b for `count` values: a in float32, b and out in bfloat16. */
export function multiplyRounded(a: usize, b: usize, out: usize, count: i32): void {
  const rest = count & 3;
  const whole = <usize>(count - rest);
  for (let j: usize = 0; j < whole; j += 4) {
    const factor = inline.always(loadRounded(b + (j << 1)));
    inline.always(storeRounded(out + (j << 1), f32x4.mul(v128.load(a + (j << 2)), factor)));
  }
  for (let j = whole; j < <usize>count; j++) {
    const product = load<f32>(a + (j << 2)) * loadRoundedOne(b + (j << 1));
    storePartRounded(out + (j << 1), f32x4.splat(product), 1);
  }
}
