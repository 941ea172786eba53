/**
 * VitAttention and its gradient: src/ops/attention.ts describes them. They run on matrix units if the device has them
 * and qkv is stored as float16, on ordinary units otherwise.
 */
import type { TensorInfo } from '@tensorflow/tfjs';
import type { VitBackend } from '../backend.js';
import { packed, scalars } from '../pass.js';
import type { AttentionSizes } from '../passes/attention-parts.js';
import { attentionPass, keyGradientPass, queryGradientPass } from '../passes/attention.js';
import { roundToHalf } from '../passes/half.js';
import { matrixAttentionPass, matrixKeyGradientPass, matrixQueryGradientPass } from '../passes/matrix-attention.js';
import type { MatrixUnitKind } from '../passes/matrix-units.js';
import { planMatrixAttention, type AttentionPass, type MatrixAttentionPlan } from '../passes/plan-matrix-attention.js';
import { scaleForHalf } from '../passes/scale-for-half.js';
import { defineKernel } from './kernel.js';

interface AttentionAttributes {
  heads: number;
}

function sizesOf(qkv: TensorInfo, heads: number): AttentionSizes {
  const [batch, tokens, width] = qkv.shape as [number, number, number];
  return { batch, tokens, heads, size: width / 3 / heads };
}

export const attention = defineKernel<AttentionAttributes>('VitAttention', (backend, { input0: qkv }, { heads }) => {
  const sizes = sizesOf(qkv!, heads);
  const half = backend.isHalf(qkv!);
  const shape = [sizes.batch, sizes.tokens, heads * sizes.size];
  const y = half ? backend.outputHalf(shape) : backend.output(shape);
  const logSums = backend.output([sizes.batch, heads, sizes.tokens]);
  const onMatrixUnits = half ? matrixPlans(backend, sizes) : null;
  if (onMatrixUnits) {
    const { plans, kind } = onMatrixUnits;
    const writes = { y: packed(y), logSums: scalars(logSums) };
    backend.run(matrixAttentionPass({ ...sizes, ...kind, plan: plans.forward }, { qkv: packed(qkv!) }, writes));
  } else {
    const writes = { y: backend.asStored(y, sizes.size), logSums: scalars(logSums) };
    backend.run(attentionPass(sizes, { qkv: backend.asStored(qkv!, sizes.size) }, writes));
  }
  return [y, backend.shared(y), logSums];
});

export const attentionGradient = defineKernel<AttentionAttributes>(
  'VitAttentionGrad',
  (backend, { dy, input0: qkv, saved0: y, saved1: logSums }, { heads }) => {
    const sizes = sizesOf(qkv!, heads);
    const tensors = { dy: dy!, qkv: qkv!, y: y!, logSums: logSums! };
    const onMatrixUnits = backend.isHalf(qkv!) ? matrixPlans(backend, sizes) : null;
    return onMatrixUnits
      ? matrixGradient(backend, sizes, tensors, onMatrixUnits)
      : ordinaryGradient(backend, sizes, tensors);
  },
);

interface GradientTensors {
  dy: TensorInfo;
  qkv: TensorInfo;
  y: TensorInfo;
  logSums: TensorInfo;
}

function ordinaryGradient(
  backend: VitBackend,
  sizes: AttentionSizes,
  { dy, qkv, y, logSums }: GradientTensors,
): TensorInfo {
  const dqkv = backend.output(qkv.shape);
  const along = backend.output(logSums.shape);
  const operand = (tensor: TensorInfo) => backend.asStored(tensor, sizes.size);
  backend.run(
    queryGradientPass(
      sizes,
      { qkv: operand(qkv), dy: operand(dy), y: operand(y), logSums: scalars(logSums) },
      { dqkv: operand(dqkv), along: scalars(along) },
    ),
  );
  // One pass for both sums of a key keeps its k, v, dk and dv in registers. A GPU has 255, enough for a width of 32.
  const parts = sizes.size <= 32 ? (['keys and values'] as const) : (['keys', 'values'] as const);
  const reads = { qkv: operand(qkv), dy: operand(dy), logSums: scalars(logSums), along: scalars(along) };
  for (const part of parts) backend.run(keyGradientPass({ ...sizes, part }, reads, { dqkv: operand(dqkv) }));
  backend.release(along);
  return dqkv;
}

interface OnMatrixUnits {
  readonly plans: Readonly<Record<AttentionPass, MatrixAttentionPlan>>;
  readonly kind: MatrixUnitKind;
}

/** null if the device has no matrix units for these sizes. */
function matrixPlans({ matrixUnits: units, device }: VitBackend, sizes: AttentionSizes): OnMatrixUnits | null {
  if (!units) return null;
  const { lanes, emulated } = units;
  const plans = planMatrixAttention(units, sizes, device.limits);
  return plans && { plans, kind: { lanes, emulated } };
}

/**
 * The largest gradient is scaled to 2^5 … 2^6. The gradients of the scores are products of such gradients with v over a
 * head, and may be √size·|v| times as large: with 2^6 they stay in the range of float16 for |v| up to some hundreds.
 */
const TARGET = 5;

function matrixGradient(
  backend: VitBackend,
  sizes: AttentionSizes,
  { dy, qkv, y, logSums }: GradientTensors,
  { plans, kind }: OnMatrixUnits,
): TensorInfo {
  const half = backend.outputHalf(qkv.shape);
  const halfScale = backend.output([2]);
  const along = backend.output(logSums.shape);
  const rounding = scaleForHalf(backend, dy, { target: TARGET });
  const halfDy = roundToHalf(backend, dy, { scale: rounding });
  const { scale } = rounding;
  const reads = { qkv: packed(qkv), dy: packed(halfDy), logSums: scalars(logSums) };
  const writes = { dqkv: packed(half) };
  backend.run(
    matrixQueryGradientPass(
      { ...sizes, ...kind, plan: plans.queries },
      { ...reads, y: packed(y), scale: scalars(scale) },
      { ...writes, along: scalars(along), dqkvScale: scalars(halfScale) },
    ),
  );
  const keySizes = { ...sizes, ...kind, plan: plans.keysAndValues };
  backend.run(matrixKeyGradientPass(keySizes, { ...reads, along: scalars(along) }, writes));
  backend.release(along, scale, halfDy);
  return backend.outputRounded(qkv.shape, { half, scale: halfScale });
}
