/** The two losses over rows: squared error of tokens, and cross-entropy against label distributions. */
import { exp4, loadPart, storePart, sum4 } from './math';

/** Σ of (prediction − target)² over one row. */
function squaredDistance(prediction: usize, target: usize, values: i32): f32 {
  let sum = f32x4.splat(0);
  let j = 0;
  for (; j + 4 <= values; j += 4) {
    const at = (<usize>j) << 2;
    const d = f32x4.sub(v128.load(prediction + at), v128.load(target + at));
    sum = f32x4.add(sum, f32x4.mul(d, d));
  }
  let total = sum4(sum);
  for (; j < values; j++) {
    const at = (<usize>j) << 2;
    const d = load<f32>(prediction + at) - load<f32>(target + at);
    total += d * d;
  }
  return total;
}

/** Σ over rows of weight · mean squared error of the row. Rows of weight 0 are not read. */
export function squaredError(prediction: usize, target: usize, weights: usize, rows: i32, values: i32): f64 {
  const bytes = (<usize>values) << 2;
  let total: f64 = 0;
  for (let i = 0; i < rows; i++) {
    const weight = load<f32>(weights + ((<usize>i) << 2));
    if (weight !== 0) total += <f64>weight * <f64>squaredDistance(prediction, target, values);
    prediction += bytes;
    target += bytes;
  }
  return total / <f64>values;
}

/** out = factor·weight·(prediction − target) for each row; zeros if the weight is 0. */
export function squaredErrorGradient(
  prediction: usize,
  target: usize,
  weights: usize,
  out: usize,
  rows: i32,
  values: i32,
  factor: f32,
): void {
  const bytes = (<usize>values) << 2;
  for (let i = 0; i < rows; i++) {
    const weight = factor * load<f32>(weights + ((<usize>i) << 2));
    if (weight === 0) {
      memory.fill(out, 0, bytes);
    } else {
      const w = f32x4.splat(weight);
      let j = 0;
      for (; j + 4 <= values; j += 4) {
        const at = (<usize>j) << 2;
        v128.store(out + at, f32x4.mul(w, f32x4.sub(v128.load(prediction + at), v128.load(target + at))));
      }
      for (; j < values; j++) {
        const at = (<usize>j) << 2;
        store<f32>(out + at, weight * (load<f32>(prediction + at) - load<f32>(target + at)));
      }
    }
    prediction += bytes;
    target += bytes;
    out += bytes;
  }
}

/** Sum of the floats at a pointer, in float64. */
export function sum(x: usize, count: i32): f64 {
  let total: f64 = 0;
  for (let i = 0; i < count; i++) total += <f64>load<f32>(x + ((<usize>i) << 2));
  return total;
}

/** Sum of the squares of the floats at a pointer, in float64. */
export function sumOfSquares(x: usize, count: i32): f64 {
  let a = f64x2.splat(0);
  let b = f64x2.splat(0);
  let i = 0;
  for (; i + 4 <= count; i += 4) {
    const low = f64x2.promote_low_f32x4(v128.load64_zero(x));
    const high = f64x2.promote_low_f32x4(v128.load64_zero(x, 8));
    a = f64x2.add(a, f64x2.mul(low, low));
    b = f64x2.add(b, f64x2.mul(high, high));
    x += 16;
  }
  const sum = f64x2.add(a, b);
  let total = f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
  for (; i < count; i++) {
    const value = <f64>load<f32>(x);
    total += value * value;
    x += 4;
  }
  return total;
}

/** logProbabilities = x − max − log Σ e^(x − max); returns −Σ target·logProbabilities over all rows. */
export function crossEntropy(logits: usize, target: usize, logProbabilities: usize, rows: i32, classes: i32): f64 {
  const bytes = (<usize>classes) << 2;
  let total: f64 = 0;
  for (let i = 0; i < rows; i++) {
    let top: f32 = -f32(Infinity);
    for (let j = 0; j < classes; j++) top = max<f32>(top, load<f32>(logits + ((<usize>j) << 2)));
    const m = f32x4.splat(top);
    let exponentials = f32x4.splat(0);
    let j = 0;
    for (; j + 4 <= classes; j += 4) {
      exponentials = f32x4.add(exponentials, exp4(f32x4.sub(v128.load(logits + ((<usize>j) << 2)), m)));
    }
    if (j < classes) {
      const last = loadPart(logits + ((<usize>j) << 2), classes - j, -f32(Infinity));
      exponentials = f32x4.add(exponentials, exp4(f32x4.sub(last, m)));
    }
    const offset = top + <f32>Math.log(<f64>sum4(exponentials));
    for (j = 0; j < classes; j++) {
      const at = (<usize>j) << 2;
      const value = load<f32>(logits + at) - offset;
      store<f32>(logProbabilities + at, value);
      const t = load<f32>(target + at);
      // 0·log 0 is 0, as it is in the definition of entropy
      if (t !== 0) total -= <f64>t * <f64>value;
    }
    logits += bytes;
    target += bytes;
    logProbabilities += bytes;
  }
  return total;
}

/** out = factor·(e^logProbabilities − target) */
export function crossEntropyGradient(
  logProbabilities: usize,
  target: usize,
  out: usize,
  count: i32,
  factor: f32,
): void {
  const f = f32x4.splat(factor);
  const rest = count & 3;
  const tail = (<usize>(count - rest)) << 2;
  for (let at: usize = 0; at < tail; at += 16) {
    const p = exp4(v128.load(logProbabilities + at));
    v128.store(out + at, f32x4.mul(f, f32x4.sub(p, v128.load(target + at))));
  }
  if (rest > 0) {
    const p = exp4(loadPart(logProbabilities + tail, rest, 0));
    storePart(out + tail, f32x4.mul(f, f32x4.sub(p, loadPart(target + tail, rest, 0))), rest);
  }
}
