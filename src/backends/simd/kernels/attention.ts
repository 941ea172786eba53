/** VitAttention and its gradient: src/ops/attention.ts says what they are. */
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
    backend.run('attention', batch, backend.address(qkv!), backend.address(y), scratch, tokens, dim, heads);
  });
  return y;
});

export const attentionGradient = defineKernel<AttentionAttributes>(
  'VitAttentionGrad',
  (backend, { dy, input0: qkv }, { heads }) => {
    const [batch, tokens, width] = qkv!.shape as [number, number, number];
    const dqkv = backend.output(qkv!.shape);
    backend.withScratch(backend.threads.size * attentionScratch(tokens), (scratch) => {
      const [from, to] = [backend.address(qkv!), backend.address(dqkv)];
      backend.run('attentionGradient', batch, backend.address(dy!), from, to, scratch, tokens, width / 3, heads);
    });
    return dqkv;
  },
);
