/** Loops over rows of matrices: fill, sums over columns, and copies of whole rows. Lengths are in values. */
import { loadRounded, loadRoundedOne } from './bfloat16';

/** Writes the same row `rows` times, one after the other. */
export function fillRows(out: usize, row: usize, rows: i32, columns: i32): void {
  const bytes = (<usize>columns) << 2;
  for (let i = 0; i < rows; i++) {
    memory.copy(out, row, bytes);
    out += bytes;
  }
}

/** Two floats, in float64. */
function wide(p: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load64_zero(p));
}

/** The lower two lanes, in float64, and the upper two. */
function wideLow(x: v128): v128 {
  return f64x2.promote_low_f32x4(x);
}
function wideHigh(x: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<f32>(x, x, 2, 3, 2, 3));
}

/** Four float64 as floats. */
function narrow(low: v128, high: v128): v128 {
  return v128.shuffle<f32>(v128.demote_zero<f64>(low), v128.demote_zero<f64>(high), 0, 1, 4, 5);
}

/** The number of rows summed in float32; these sums are then added in float64. */
const SHORT = 32;

/** Four values, in float32 or, if `rounded`, in bfloat16. */
function load4(rounded: bool, p: usize): v128 {
  return rounded ? inline.always(loadRounded(p)) : v128.load(p);
}

/** Inlined with a constant `rounded`: whether x is in bfloat16. */
function sumOverRows(rounded: bool, x: usize, rows: i32, columns: i32, stride: i32, out: usize): void {
  /** The shift from values to bytes. */
  const size: usize = rounded ? 1 : 2;
  const step = (<usize>stride) << size;
  let j = 0;
  // A cache line of each row
  for (; j + 16 <= columns; j += 16) {
    let lowA = f64x2.splat(0);
    let highA = f64x2.splat(0);
    let lowB = f64x2.splat(0);
    let highB = f64x2.splat(0);
    let lowC = f64x2.splat(0);
    let highC = f64x2.splat(0);
    let lowD = f64x2.splat(0);
    let highD = f64x2.splat(0);
    let p = x + ((<usize>j) << size);
    for (let begin = 0; begin < rows; begin += SHORT) {
      let a = f32x4.splat(0);
      let b = f32x4.splat(0);
      let c = f32x4.splat(0);
      let d = f32x4.splat(0);
      for (let i = min<i32>(SHORT, rows - begin); i > 0; i--) {
        a = f32x4.add(a, inline.always(load4(rounded, p)));
        b = f32x4.add(b, inline.always(load4(rounded, p + (4 << size))));
        c = f32x4.add(c, inline.always(load4(rounded, p + (8 << size))));
        d = f32x4.add(d, inline.always(load4(rounded, p + (12 << size))));
        p += step;
      }
      lowA = f64x2.add(lowA, wideLow(a));
      highA = f64x2.add(highA, wideHigh(a));
      lowB = f64x2.add(lowB, wideLow(b));
      highB = f64x2.add(highB, wideHigh(b));
      lowC = f64x2.add(lowC, wideLow(c));
      highC = f64x2.add(highC, wideHigh(c));
      lowD = f64x2.add(lowD, wideLow(d));
      highD = f64x2.add(highD, wideHigh(d));
    }
    const q = out + ((<usize>j) << 2);
    v128.store(q, narrow(lowA, highA));
    v128.store(q, narrow(lowB, highB), 16);
    v128.store(q, narrow(lowC, highC), 32);
    v128.store(q, narrow(lowD, highD), 48);
  }
  for (; j < columns; j++) {
    let sum: f64 = 0;
    let p = x + ((<usize>j) << size);
    for (let i = 0; i < rows; i++) {
      sum += <f64>(rounded ? loadRoundedOne(p) : load<f32>(p));
      p += step;
    }
    store<f32>(out + ((<usize>j) << 2), <f32>sum);
  }
}

/**
 * out[j] = Σᵢ x[i, j] over `rows` rows that are `stride` apart: in float32 over 32 rows at a time, then in float64 over
 * these sums. A single sum in float32 would have an error of one percent after a million rows.
 */
export function sumRows(x: usize, rows: i32, columns: i32, stride: i32, out: usize): void {
  inline.always(sumOverRows(false, x, rows, columns, stride, out));
}

/** The same for x in bfloat16. */
export function sumRowsRounded(x: usize, rows: i32, columns: i32, stride: i32, out: usize): void {
  inline.always(sumOverRows(true, x, rows, columns, stride, out));
}

/**
 * out[i] = x[index[i]] for whole rows. An index of `limit` or more gives the row at `fill` instead, or zeros if `fill`
 * is 0.
 */
export function gatherRows(out: usize, x: usize, index: usize, rows: i32, columns: i32, limit: i32, fill: usize): void {
  const bytes = (<usize>columns) << 2;
  for (let i = 0; i < rows; i++) {
    const from = load<i32>(index + ((<usize>i) << 2));
    if (<u32>from < <u32>limit) memory.copy(out, x + <usize>from * bytes, bytes);
    else if (fill !== 0) memory.copy(out, fill, bytes);
    else memory.fill(out, 0, bytes);
    out += bytes;
  }
}

/** sums[j] += Σ x[i, j] over the rows whose weight is not 0, times that weight. */
export function addWeightedRows(x: usize, weights: usize, rows: i32, columns: i32, sums: usize): void {
  const bytes = (<usize>columns) << 2;
  for (let i = 0; i < rows; i++) {
    const weight = load<f32>(weights + ((<usize>i) << 2));
    if (weight !== 0) {
      const w = f32x4.splat(weight);
      let j = 0;
      for (; j + 4 <= columns; j += 4) {
        const at = (<usize>j) << 2;
        v128.store(sums + at, f32x4.add(v128.load(sums + at), f32x4.mul(w, v128.load(x + at))));
      }
      for (; j < columns; j++) {
        const at = (<usize>j) << 2;
        store<f32>(sums + at, load<f32>(sums + at) + weight * load<f32>(x + at));
      }
    }
    x += bytes;
  }
}

/** out[i] = Σⱼ x[i, j] of dense rows, in float64. */
export function sumColumns(x: usize, rows: i32, columns: i32, out: usize): void {
  for (let i = 0; i < rows; i++) {
    let a = f64x2.splat(0);
    let b = f64x2.splat(0);
    let c = f64x2.splat(0);
    let d = f64x2.splat(0);
    let j = 0;
    for (; j + 8 <= columns; j += 8) {
      a = f64x2.add(a, wide(x));
      b = f64x2.add(b, wide(x + 8));
      c = f64x2.add(c, wide(x + 16));
      d = f64x2.add(d, wide(x + 24));
      x += 32;
    }
    const sum = f64x2.add(f64x2.add(a, b), f64x2.add(c, d));
    let total = f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
    for (; j < columns; j++) {
      total += <f64>load<f32>(x);
      x += 4;
    }
    store<f32>(out + ((<usize>i) << 2), <f32>total);
  }
}
