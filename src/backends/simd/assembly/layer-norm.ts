/** Layer normalisation of rows, and its gradients. `statistics` holds mean and 1/√(variance + ε) of each row. */
import { storePartRounded, storeRounded } from './bfloat16';
import { loadPart, multiplyAdd, multiplySubtract, storePart, sum4 } from './math';

function sumOfRow(x: usize, dim: i32): f32 {
  let sum = f32x4.splat(0);
  let j = 0;
  for (; j + 4 <= dim; j += 4) sum = f32x4.add(sum, v128.load(x + ((<usize>j) << 2)));
  if (j < dim) sum = f32x4.add(sum, loadPart(x + ((<usize>j) << 2), dim - j, 0));
  return sum4(sum);
}

function squaresOfRow(x: usize, dim: i32, mean: f32): f32 {
  const m = f32x4.splat(mean);
  let sum = f32x4.splat(0);
  let j = 0;
  for (; j + 4 <= dim; j += 4) {
    const c = f32x4.sub(v128.load(x + ((<usize>j) << 2)), m);
    sum = multiplyAdd(c, c, sum);
  }
  if (j < dim) {
    const c = f32x4.sub(loadPart(x + ((<usize>j) << 2), dim - j, mean), m);
    sum = multiplyAdd(c, c, sum);
  }
  return sum4(sum);
}

/** Inlined with a constant `rounded`: whether y is written in bfloat16. */
function normalizeRows(
  rounded: bool,
  x: usize,
  scale: usize,
  shift: usize,
  y: usize,
  statistics: usize,
  rows: i32,
  dim: i32,
  epsilon: f32,
): void {
  const bytes = (<usize>dim) << 2;
  for (let i = 0; i < rows; i++) {
    const mean = sumOfRow(x, dim) / <f32>dim;
    const inverse = <f32>1.0 / sqrt<f32>(squaresOfRow(x, dim, mean) / <f32>dim + epsilon);
    store<f32>(statistics, mean);
    store<f32>(statistics, inverse, 4);
    const m = f32x4.splat(mean);
    const s = f32x4.splat(inverse);
    let j = 0;
    for (; j + 4 <= dim; j += 4) {
      const at = (<usize>j) << 2;
      const n = f32x4.mul(f32x4.sub(v128.load(x + at), m), s);
      const value = multiplyAdd(n, v128.load(scale + at), v128.load(shift + at));
      if (rounded) inline.always(storeRounded(y + (at >> 1), value));
      else v128.store(y + at, value);
    }
    for (; j < dim; j++) {
      const at = (<usize>j) << 2;
      const value = (load<f32>(x + at) - mean) * inverse * load<f32>(scale + at) + load<f32>(shift + at);
      if (rounded) storePartRounded(y + (at >> 1), f32x4.splat(value), 1);
      else store<f32>(y + at, value);
    }
    x += bytes;
    y += rounded ? bytes >> 1 : bytes;
    statistics += 8;
  }
}

/** y = (x − mean)·inverseStd·scale + shift for each row, with the biased variance. */
export function layerNorm(
  x: usize,
  scale: usize,
  shift: usize,
  y: usize,
  statistics: usize,
  rows: i32,
  dim: i32,
  epsilon: f32,
): void {
  inline.always(normalizeRows(false, x, scale, shift, y, statistics, rows, dim, epsilon));
}

/** The same with y in bfloat16. */
export function layerNormRounded(
  x: usize,
  scale: usize,
  shift: usize,
  y: usize,
  statistics: usize,
  rows: i32,
  dim: i32,
  epsilon: f32,
): void {
  inline.always(normalizeRows(true, x, scale, shift, y, statistics, rows, dim, epsilon));
}

/**
 * Writes dx of each row, and adds to dScale and dShift.
 *
 * dx = inverseStd·(g − mean(g) − n·mean(g·n)) with g = dy·scale and n the normalised row: the mean and the variance
 * both depend on x.
 */
export function layerNormGradient(
  dy: usize,
  x: usize,
  scale: usize,
  statistics: usize,
  dx: usize,
  dScale: usize,
  dShift: usize,
  rows: i32,
  dim: i32,
): void {
  const bytes = (<usize>dim) << 2;
  const rest = dim & 3;
  const whole = dim - rest;
  const tail = (<usize>whole) << 2;
  for (let i = 0; i < rows; i++) {
    const mean = load<f32>(statistics);
    const inverse = load<f32>(statistics, 4);
    const m = f32x4.splat(mean);
    const s = f32x4.splat(inverse);
    let sum = f32x4.splat(0);
    let along = f32x4.splat(0);
    for (let at: usize = 0; at < tail; at += 16) {
      const d = v128.load(dy + at);
      const n = f32x4.mul(f32x4.sub(v128.load(x + at), m), s);
      const g = f32x4.mul(d, v128.load(scale + at));
      sum = f32x4.add(sum, g);
      along = multiplyAdd(g, n, along);
      v128.store(dScale + at, multiplyAdd(d, n, v128.load(dScale + at)));
      v128.store(dShift + at, f32x4.add(v128.load(dShift + at), d));
    }
    if (rest > 0) {
      const d = loadPart(dy + tail, rest, 0);
      const n = f32x4.mul(f32x4.sub(loadPart(x + tail, rest, mean), m), s);
      const g = f32x4.mul(d, loadPart(scale + tail, rest, 0));
      sum = f32x4.add(sum, g);
      along = multiplyAdd(g, n, along);
      storePart(dScale + tail, multiplyAdd(d, n, loadPart(dScale + tail, rest, 0)), rest);
      storePart(dShift + tail, f32x4.add(loadPart(dShift + tail, rest, 0), d), rest);
    }
    const meanG = f32x4.splat(sum4(sum) / <f32>dim);
    const meanGN = f32x4.splat(sum4(along) / <f32>dim);
    for (let at: usize = 0; at < tail; at += 16) {
      const n = f32x4.mul(f32x4.sub(v128.load(x + at), m), s);
      const g = f32x4.mul(v128.load(dy + at), v128.load(scale + at));
      v128.store(dx + at, f32x4.mul(s, multiplySubtract(n, meanGN, f32x4.sub(g, meanG))));
    }
    if (rest > 0) {
      const n = f32x4.mul(f32x4.sub(loadPart(x + tail, rest, mean), m), s);
      const g = f32x4.mul(loadPart(dy + tail, rest, 0), loadPart(scale + tail, rest, 0));
      storePart(dx + tail, f32x4.mul(s, multiplySubtract(n, meanGN, f32x4.sub(g, meanG))), rest);
    }
    dy += bytes;
    x += bytes;
    dx += bytes;
    statistics += 8;
  }
}
