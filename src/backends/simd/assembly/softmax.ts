/** Softmax of rows that are `stride` floats apart, in place, and its gradient. */
import { expBelow4, loadPart, max4, multiplyAdd, storePart, sum4 } from './math';

const LOWEST: f32 = -f32(Infinity);

/** The larger value of each lane. A NaN is kept only in `a`: the sum of the exponentials becomes NaN all the same. */
function larger(a: v128, b: v128): v128 {
  return f32x4.pmax(a, b);
}

/** Inlined with a constant `two`: whether there is a second row, at y. The chains of operations of two rows overlap. */
function softmaxOf(two: bool, x: usize, y: usize, columns: i32): void {
  const rest = columns & 3;
  const tail = (<usize>(columns - rest)) << 2;
  let topX = f32x4.splat(LOWEST);
  let topY = topX;
  for (let at: usize = 0; at < tail; at += 16) {
    topX = larger(topX, v128.load(x + at));
    if (two) topY = larger(topY, v128.load(y + at));
  }
  if (rest > 0) {
    topX = larger(topX, loadPart(x + tail, rest, LOWEST));
    if (two) topY = larger(topY, loadPart(y + tail, rest, LOWEST));
  }
  const mx = f32x4.splat(max4(topX));
  const my = f32x4.splat(max4(topY));

  let sumX = f32x4.splat(0);
  let sumY = f32x4.splat(0);
  for (let at: usize = 0; at < tail; at += 16) {
    const ex = inline.always(expBelow4(f32x4.sub(v128.load(x + at), mx)));
    sumX = f32x4.add(sumX, ex);
    v128.store(x + at, ex);
    if (two) {
      const ey = inline.always(expBelow4(f32x4.sub(v128.load(y + at), my)));
      sumY = f32x4.add(sumY, ey);
      v128.store(y + at, ey);
    }
  }
  if (rest > 0) {
    storePart(x + tail, expBelow4(f32x4.sub(loadPart(x + tail, rest, LOWEST), mx)), rest);
    sumX = f32x4.add(sumX, loadPart(x + tail, rest, 0));
    if (two) {
      storePart(y + tail, expBelow4(f32x4.sub(loadPart(y + tail, rest, LOWEST), my)), rest);
      sumY = f32x4.add(sumY, loadPart(y + tail, rest, 0));
    }
  }
  const inverseX = f32x4.splat(<f32>1.0 / sum4(sumX));
  const inverseY = f32x4.splat(<f32>1.0 / sum4(sumY));
  for (let at: usize = 0; at < tail; at += 16) {
    v128.store(x + at, f32x4.mul(v128.load(x + at), inverseX));
    if (two) v128.store(y + at, f32x4.mul(v128.load(y + at), inverseY));
  }
  if (rest > 0) {
    storePart(x + tail, f32x4.mul(loadPart(x + tail, rest, 0), inverseX), rest);
    if (two) storePart(y + tail, f32x4.mul(loadPart(y + tail, rest, 0), inverseY), rest);
  }
}

/** Replaces each row by e^(x − max)/Σ. A row with a NaN becomes NaN. */
export function softmax(x: usize, rows: i32, columns: i32, stride: i32): void {
  const step = (<usize>stride) << 2;
  let i = 0;
  for (; i + 2 <= rows; i += 2) {
    inline.always(softmaxOf(true, x, x + step, columns));
    x += step << 1;
  }
  if (i < rows) inline.always(softmaxOf(false, x, x, columns));
}

/** dy ← p·(dy − Σ p·dy) for each row, p being the softmax of that row. */
export function softmaxGradient(p: usize, dy: usize, rows: i32, columns: i32, stride: i32): void {
  const rest = columns & 3;
  const whole = columns - rest;
  const tail = (<usize>whole) << 2;
  const step = (<usize>stride) << 2;
  for (let i = 0; i < rows; i++) {
    let sum = f32x4.splat(0);
    for (let at: usize = 0; at < tail; at += 16) {
      sum = multiplyAdd(v128.load(p + at), v128.load(dy + at), sum);
    }
    if (rest > 0) sum = multiplyAdd(loadPart(p + tail, rest, 0), loadPart(dy + tail, rest, 0), sum);
    const along = f32x4.splat(sum4(sum));
    for (let at: usize = 0; at < tail; at += 16) {
      v128.store(dy + at, f32x4.mul(v128.load(p + at), f32x4.sub(v128.load(dy + at), along)));
    }
    if (rest > 0) {
      const d = f32x4.sub(loadPart(dy + tail, rest, 0), along);
      storePart(dy + tail, f32x4.mul(loadPart(p + tail, rest, 0), d), rest);
    }
    p += step;
    dy += step;
  }
}
