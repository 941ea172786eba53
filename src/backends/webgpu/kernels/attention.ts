/**
 * VitAttention and its gradient: src/ops/attention.ts says what they are. The scores never reach memory (Dao et al.
 * 2022): an invocation owns one token, and the tokens that it meets pass by in blocks through workgroup memory. The
 * softmax is kept as it goes, and its logarithmic sum is saved, from which the gradient makes the weights again.
 */
import type { TensorInfo } from '@tensorflow/tfjs';
import type { VitBackend } from '../backend.js';
import { packed, scalars } from '../pass.js';
import { defineKernel } from './kernel.js';
import { attentionShaders, type AttentionSizes } from '../passes/attention.js';
import { roundToHalf } from '../passes/half.js';
import { matrixAttentionShaders } from '../passes/matrix-attention.js';
import { planMatrixAttention, type AttentionPass, type MatrixAttentionPlan } from '../passes/plan-matrix-attention.js';
import { scaleForHalf } from '../passes/scale-for-half.js';

interface AttentionAttributes {
  heads: number;
}

function sizesOf(qkv: TensorInfo, heads: number): AttentionSizes {
  const [batch, tokens, width] = qkv.shape as [number, number, number];
  return { batch, tokens, heads, size: width / 3 / heads };
}

/** A workgroup for each image, head and block of tokens. */
function grid({ batch, tokens, heads }: AttentionSizes) {
  const threads = tokens <= 32 ? 32 : 64;
  return { threads, groups: [Math.ceil(tokens / threads), heads, batch] as const };
}

export const attention = defineKernel<AttentionAttributes>('VitAttention', (backend, { input0: qkv }, { heads }) => {
  const sizes = sizesOf(qkv!, heads);
  const half = backend.isHalf(qkv!);
  const shape = [sizes.batch, sizes.tokens, heads * sizes.size];
  const y = half ? backend.outputHalf(shape) : backend.output(shape);
  const logSums = backend.output([sizes.batch, heads, sizes.tokens]);
  const common = { name: 'attention', sizes: { ...sizes } };
  const onMatrixUnits = half ? matrixShaders(backend, sizes) : null;
  if (onMatrixUnits) {
    const { plans, shaders } = onMatrixUnits;
    backend.run({
      ...common,
      ...layout(plans.forward),
      reads: { qkv: packed(qkv!) },
      writes: { y: packed(y), logSums: scalars(logSums) },
      code: () => shaders().forward(),
    });
  } else {
    const { threads, groups } = grid(sizes);
    backend.run({
      ...common,
      reads: { qkv: backend.asStored(qkv!, sizes.size) },
      writes: { y: backend.asStored(y, sizes.size), logSums: scalars(logSums) },
      threads,
      groups,
      code: () => attentionShaders(sizes, threads, half).forward,
    });
  }
  return [y, backend.shared(y), logSums];
});

export const attentionGradient = defineKernel<AttentionAttributes>(
  'VitAttentionGrad',
  (backend, { dy, input0: qkv, saved0: y, saved1: logSums }, { heads }) => {
    const sizes = sizesOf(qkv!, heads);
    const tensors = { dy: dy!, qkv: qkv!, y: y!, logSums: logSums! };
    const onMatrixUnits = backend.isHalf(qkv!) ? matrixShaders(backend, sizes) : null;
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
  const { threads, groups } = grid(sizes);
  const half = backend.isHalf(qkv);
  const common = { threads, groups, sizes: { ...sizes } };
  const operand = (tensor: TensorInfo) => backend.asStored(tensor, sizes.size);
  backend.run({
    ...common,
    name: 'attention, gradient of queries',
    reads: { qkv: operand(qkv), dy: operand(dy), y: operand(y), logSums: scalars(logSums) },
    writes: { dqkv: operand(dqkv), along: scalars(along) },
    code: () => attentionShaders(sizes, threads, half).gradientOfQueries,
  });
  // Both sums of a key in one pass want its k, v, dk and dv in registers: of 255 that a card has, for four of 32.
  const parts = sizes.size <= 32 ? (['keys and values'] as const) : (['keys', 'values'] as const);
  for (const part of parts) {
    backend.run({
      ...common,
      name: `attention, gradient of ${part}`,
      reads: { qkv: operand(qkv), dy: operand(dy), logSums: scalars(logSums), along: scalars(along) },
      writes: { dqkv: operand(dqkv) },
      code: () => attentionShaders(sizes, threads, half).gradientOf(part),
    });
  }
  backend.release(along);
  return dqkv;
}

interface OnMatrixUnits {
  plans: Readonly<Record<AttentionPass, MatrixAttentionPlan>>;
  shaders: () => ReturnType<typeof matrixAttentionShaders>;
}

/** null where the device has none for these sizes. */
function matrixShaders(backend: VitBackend, sizes: AttentionSizes): OnMatrixUnits | null {
  const { matrixUnits: units, device } = backend;
  const plans = units && planMatrixAttention(units, sizes, device.limits);
  return plans && { plans, shaders: () => matrixAttentionShaders(units, sizes, plans) };
}

const layout = ({ threads, groups }: MatrixAttentionPlan) => ({ threads, groups });

/**
 * The largest gradient is brought to 2^5 … 2^6. Those of the scores are products of them with v over a head, and may be
 * √size·|v| times as large: with 2^6 there is room in float16 for |v| of some hundreds.
 */
const TARGET = 5;

function matrixGradient(
  backend: VitBackend,
  sizes: AttentionSizes,
  { dy, qkv, y, logSums }: GradientTensors,
  { plans, shaders }: OnMatrixUnits,
): TensorInfo {
  const half = backend.outputHalf(qkv.shape);
  const halfScale = backend.output([2]);
  const along = backend.output(logSums.shape);
  const rounding = scaleForHalf(backend, dy, { target: TARGET });
  const halfDy = roundToHalf(backend, dy, { scale: rounding });
  const { scale } = rounding;
  const common = { sizes: { ...sizes } };
  const reads = { qkv: packed(qkv), dy: packed(halfDy), logSums: scalars(logSums) };
  const writes = { dqkv: packed(half) };
  backend.run({
    ...common,
    ...layout(plans.queries),
    name: 'attention, gradient of queries',
    reads: { ...reads, y: packed(y), scale: scalars(scale) },
    writes: { ...writes, along: scalars(along), dqkvScale: scalars(halfScale) },
    code: () => shaders().gradientOfQueries(),
  });
  backend.run({
    ...common,
    ...layout(plans.keysAndValues),
    name: 'attention, gradient of keys and values',
    reads: { ...reads, along: scalars(along) },
    writes,
    code: () => shaders().gradientOfKeysAndValues(),
  });
  backend.release(along, scale, halfDy);
  return backend.outputRounded(qkv.shape, { half, scale: halfScale });
}
