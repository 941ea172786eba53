/** Softmax of rows that are `stride` floats apart, in place, and its gradient. */
import { exp4, loadPart, max4, multiplyAdd, storePart, sum4 } from './math';

const LOWEST: f32 = -f32(Infinity);

/** Replaces each row by e^(x − max)/Σ. A row with a NaN becomes NaN. */
export function softmax(x: usize, rows: i32, columns: i32, stride: i32): void {
  const rest = columns & 3;
  const whole = columns - rest;
  const tail = (<usize>whole) << 2;
  for (let i = 0; i < rows; i++) {
    let top = f32x4.splat(LOWEST);
    for (let at: usize = 0; at < tail; at += 16) top = f32x4.max(top, v128.load(x + at));
    if (rest > 0) top = f32x4.max(top, loadPart(x + tail, rest, LOWEST));
    const m = f32x4.splat(max4(top));

    let sum = f32x4.splat(0);
    for (let at: usize = 0; at < tail; at += 16) {
      const e = inline.always(exp4(f32x4.sub(v128.load(x + at), m)));
      sum = f32x4.add(sum, e);
      v128.store(x + at, e);
    }
    if (rest > 0) {
      const e = exp4(f32x4.sub(loadPart(x + tail, rest, LOWEST), m));
      storePart(x + tail, e, rest);
      sum = f32x4.add(sum, loadPart(x + tail, rest, 0));
    }
    const inverse = f32x4.splat(<f32>1.0 / sum4(sum));
    for (let at: usize = 0; at < tail; at += 16) v128.store(x + at, f32x4.mul(v128.load(x + at), inverse));
    if (rest > 0) storePart(x + tail, f32x4.mul(loadPart(x + tail, rest, 0), inverse), rest);
    x += (<usize>stride) << 2;
  }
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
