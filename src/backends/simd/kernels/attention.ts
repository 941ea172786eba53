/** VitAttention and its gradient: src/ops/attention.ts describes them. */
import { attentionScratch } from '../tasks/attention.js';
import { defineKernel } from './kernel.js';

interface AttentionAttributes {
  heads: number;
}

export const attention = defineKernel<AttentionAttributes>('VitAttention', (backend, { input0: qkv }, { heads }) => {
  const [batch, tokens, width] = qkv!.shape as [number, number, number];
  const dim = width / 3;
  const y = backend.output([batch, tokens, dim]);
  backend.withScratch(backend.threads.size * attentionScratch(tokens), (scratch) => {
    backend.run('attention', batch, {
      qkv: backend.address(qkv!),
      y: backend.address(y),
      scratch,
      tokens,
      dim,
      heads,
    });
  });
  return y;
});

export const attentionGradient = defineKernel<AttentionAttributes>(
  'VitAttentionGrad',
  (backend, { dy, input0: qkv }, { heads }) => {
    const [batch, tokens, width] = qkv!.shape as [number, number, number];
    const dqkv = backend.output(qkv!.shape);
    backend.withScratch(backend.threads.size * attentionScratch(tokens), (scratch) => {
      backend.run('attentionGradient', batch, {
        dy: backend.address(dy!),
        qkv: backend.address(qkv!),
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
