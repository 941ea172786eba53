/**
 * VitAttention and its gradient: src/ops/attention.ts says what they are. The scores never reach memory (Dao et al.
 * 2022): an invocation owns one token, and the tokens that it meets pass by in blocks through workgroup memory. The
 * softmax is kept as it goes, and its logarithmic sum is saved, from which the gradient makes the weights again.
 */
import type { TensorInfo } from '@tensorflow/tfjs';
import type { VitBackend } from '../backend.js';
import { scalars, lanesFor } from '../pass.js';
import { defineKernel } from './kernel.js';
import { attentionShaders, type AttentionSizes } from '../passes/attention.js';

interface AttentionAttributes {
  heads: number;
}

function sizesOf(qkv: TensorInfo, heads: number): AttentionSizes {
  const [batch, tokens, width] = qkv.shape as [number, number, number];
  return { batch, tokens, heads, size: width / 3 / heads };
}

/** A workgroup for each image, head and block of tokens. */
function grid(backend: VitBackend, { batch, tokens, heads }: AttentionSizes) {
  const threads = tokens <= 32 ? 32 : 64;
  return { backend, threads, groups: [Math.ceil(tokens / threads), heads, batch] as const };
}

export const attention = defineKernel<AttentionAttributes>('VitAttention', (backend, { input0: qkv }, { heads }) => {
  const sizes = sizesOf(qkv!, heads);
  const y = backend.output([sizes.batch, sizes.tokens, heads * sizes.size]);
  const logSums = backend.output([sizes.batch, heads, sizes.tokens]);
  const { threads, groups } = grid(backend, sizes);
  backend.run({
    name: 'attention',
    sizes: { ...sizes },
    reads: { qkv: lanesFor(qkv!, sizes.size) },
    writes: { y: lanesFor(y, sizes.size), logSums: scalars(logSums) },
    threads,
    groups,
    code: () => attentionShaders(sizes, threads).forward,
  });
  return [y, backend.shared(y), logSums];
});

export const attentionGradient = defineKernel<AttentionAttributes>(
  'VitAttentionGrad',
  (backend, { dy, input0: qkv, saved0: y, saved1: logSums }, { heads }) => {
    const sizes = sizesOf(qkv!, heads);
    const dqkv = backend.output(qkv!.shape);
    const along = backend.output(logSums!.shape);
    const { threads, groups } = grid(backend, sizes);
    const common = { threads, groups, sizes: { ...sizes } };
    const operand = (tensor: TensorInfo) => lanesFor(tensor, sizes.size);
    backend.run({
      ...common,
      name: 'attention, gradient of queries',
      reads: { qkv: operand(qkv!), dy: operand(dy!), y: operand(y!), logSums: scalars(logSums!) },
      writes: { dqkv: operand(dqkv), along: scalars(along) },
      code: () => attentionShaders(sizes, threads).gradientOfQueries,
    });
    // Both sums of a key in one pass want its k, v, dk and dv in registers: of 255 that a card has, for four of 32.
    const parts = sizes.size <= 32 ? (['keys and values'] as const) : (['keys', 'values'] as const);
    for (const part of parts) {
      backend.run({
        ...common,
        name: `attention, gradient of ${part}`,
        reads: { qkv: operand(qkv!), dy: operand(dy!), logSums: scalars(logSums!), along: scalars(along) },
        writes: { dqkv: operand(dqkv) },
        code: () => attentionShaders(sizes, threads).gradientOf(part),
      });
    }
    backend.release(along);
    return dqkv;
  },
);
