/**
 * VitAttention and its gradient: src/ops/attention.ts describes them. If qkv is stored as bfloat16, so are the results and
 * the factors of all products.
 */
import type { TensorInfo } from '@tensorflow/tfjs';
import { NONE, type Address } from '../address.js';
import type { SimdBackend } from '../backend.js';
import { attentionScratch, weightsFloats } from '../tasks/attention.js';
import { attentionBfloat16Scratch } from '../tasks/attention-bfloat16.js';
import { defineKernel } from './kernel.js';

/**
 * The weights are kept if they take at most this many times the memory of q, k and v. This is true for 64 tokens of 192
 * values with 3 heads (a third), and false for 196 tokens of 768 with 12 heads (1.02).
 */
const MOST_KEPT = 1;

interface AttentionAttributes {
  heads: number;
}

export const attention = defineKernel<AttentionAttributes>('VitAttention', (backend, { input0: qkv }, { heads }) => {
  const [batch, tokens, width] = qkv!.shape as [number, number, number];
  const dim = width / 3;
  const rounded = backend.bfloat16Address(qkv!);
  if (rounded !== undefined) return bfloat16(backend, rounded, [batch, tokens, dim], heads);
  const y = backend.output([batch, tokens, dim]);
  const floats = weightsFloats(tokens, heads);
  const weights = floats <= MOST_KEPT * tokens * width ? backend.output([batch, floats]) : null;
  backend.withScratch(backend.threads.size * attentionScratch(tokens), (scratch) => {
    backend.run('attention', batch, {
      qkv: backend.address(qkv!),
      y: backend.address(y),
      weights: weights ? backend.address(weights) : NONE,
      scratch,
      tokens,
      dim,
      heads,
    });
  });
  return weights ? [y, weights] : y;
});

export const attentionGradient = defineKernel<AttentionAttributes>(
  'VitAttentionGrad',
  (backend, { dy, input0: qkv, saved0: weights }, { heads }) => {
    const [batch, tokens, width] = qkv!.shape as [number, number, number];
    const rounded = backend.bfloat16Address(qkv!);
    if (rounded !== undefined) return bfloat16Gradient(backend, dy!, rounded, [batch, tokens, width / 3], heads);
    const dqkv = backend.output(qkv!.shape);
    backend.withScratch(backend.threads.size * attentionScratch(tokens), (scratch) => {
      backend.run('attentionGradient', batch, {
        dy: backend.address(dy!),
        qkv: backend.address(qkv!),
        kept: weights ? backend.address(weights) : NONE,
        dqkv: backend.address(dqkv),
        scratch,
        tokens,
        dim: width / 3,
        heads,
      });
    });
    return dqkv;
  },
);

type Sizes = readonly [batch: number, tokens: number, dim: number];

function bfloat16(backend: SimdBackend, qkv: Address, [batch, tokens, dim]: Sizes, heads: number): TensorInfo {
  const y = backend.outputBfloat16([batch, tokens, dim]);
  backend.withScratch(backend.threads.size * attentionBfloat16Scratch(tokens, dim / heads), (scratch) => {
    backend.run('attentionBfloat16', batch, {
      product: backend.bfloat16.product,
      qkv,
      y: backend.storedAddress(y),
      scratch,
      tokens,
      dim,
      heads,
    });
  });
  return y;
}

function bfloat16Gradient(
  backend: SimdBackend,
  dy: TensorInfo,
  qkv: Address,
  [batch, tokens, dim]: Sizes,
  heads: number,
): TensorInfo {
  const dqkv = backend.outputBfloat16([batch, tokens, 3 * dim]);
  backend.withScratch(backend.threads.size * attentionBfloat16Scratch(tokens, dim / heads), (scratch) => {
    backend.run('attentionGradientBfloat16', batch, {
      product: backend.bfloat16.product,
      dy: backend.address(dy),
      qkv,
      dqkv: backend.storedAddress(dqkv),
      scratch,
      tokens,
      dim,
      heads,
    });
  });
  return dqkv;
}
