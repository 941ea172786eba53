/** The AdamW update of a run of floats in place: decay, moments, bias-corrected step, as torch.optim.AdamW does it. */
import { storePartRounded, storeRounded } from './bfloat16';
import { loadPart, storePart } from './math';

/**
 * @param rounded The address at which the new value is also written in bfloat16; 0: it is not.
 * @param keep 1 − rate·weightDecay
 * @param stepSize rate / (1 − β1^step)
 * @param inverseBias 1 / √(1 − β2^step)
 */
export function adamW(
  value: usize,
  rounded: usize,
  first: usize,
  second: usize,
  gradient: usize,
  count: i32,
  beta1: f32,
  beta2: f32,
  oneMinusBeta1: f32,
  oneMinusBeta2: f32,
  epsilon: f32,
  keep: f32,
  stepSize: f32,
  inverseBias: f32,
  gradientScale: f32,
): void {
  const b1 = f32x4.splat(beta1);
  const b2 = f32x4.splat(beta2);
  const c1 = f32x4.splat(oneMinusBeta1);
  const c2 = f32x4.splat(oneMinusBeta2);
  const eps = f32x4.splat(epsilon);
  const k = f32x4.splat(keep);
  const size = f32x4.splat(stepSize);
  const bias = f32x4.splat(inverseBias);
  const scale = f32x4.splat(gradientScale);
  const bytes = (<usize>count) << 2;
  for (let at: usize = 0; at < bytes; at += 16) {
    const left = <i32>((bytes - at) >> 2);
    const all = left >= 4;
    const g = f32x4.mul(all ? v128.load(gradient + at) : loadPart(gradient + at, left, 0), scale);
    let m = all ? v128.load(first + at) : loadPart(first + at, left, 0);
    let v = all ? v128.load(second + at) : loadPart(second + at, left, 0);
    let w = all ? v128.load(value + at) : loadPart(value + at, left, 0);
    m = f32x4.add(f32x4.mul(m, b1), f32x4.mul(g, c1));
    v = f32x4.add(f32x4.mul(v, b2), f32x4.mul(f32x4.mul(g, g), c2));
    const denominator = f32x4.add(f32x4.mul(f32x4.sqrt(v), bias), eps);
    w = f32x4.sub(f32x4.mul(w, k), f32x4.mul(f32x4.div(m, denominator), size));
    if (all) {
      v128.store(first + at, m);
      v128.store(second + at, v);
      v128.store(value + at, w);
      if (rounded !== 0) inline.always(storeRounded(rounded + (at >> 1), w));
    } else {
      storePart(first + at, m, left);
      storePart(second + at, v, left);
      storePart(value + at, w, left);
      if (rounded !== 0) storePartRounded(rounded + (at >> 1), w, left);
    }
  }
}
