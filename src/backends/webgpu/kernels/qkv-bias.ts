/** VitQkvBias and its gradient: src/ops/qkv-bias.ts describes them. */
import { definePass, invocations, scalars } from '../pass.js';
import { defineKernel } from './kernel.js';

const qkvBiasPass = definePass<{ dim: number }, 'q' | 'v', 'y'>('qkvBias', ({ dim }) => {
  const { begin, ...layout } = invocations(dim);
  const body = `
    ${begin}
    y[i] = q[i];
    y[i + ${dim}u] = 0.0;
    y[i + ${2 * dim}u] = v[i];`;
  return { ...layout, body };
});

export const qkvBias = defineKernel('VitQkvBias', (backend, { input0: q, input1: v }) => {
  const dim = q!.shape[0]!;
  const y = backend.output([3 * dim]);
  backend.run(qkvBiasPass({ dim }, { q: scalars(q!), v: scalars(v!) }, { y: scalars(y) }));
  return y;
});

const gradientPass = definePass<{ dim: number }, 'dy', 'dq' | 'dv'>('qkvBias, gradient', ({ dim }) => {
  const { begin, ...layout } = invocations(dim);
  const body = `
    ${begin}
    dq[i] = dy[i];
    dv[i] = dy[i + ${2 * dim}u];`;
  return { ...layout, body };
});

export const qkvBiasGradient = defineKernel('VitQkvBiasGrad', (backend, { dy, input0: q }) => {
  const dim = q!.shape[0]!;
  const [dq, dv] = [backend.output([dim]), backend.output([dim])];
  backend.run(gradientPass({ dim }, { dy: scalars(dy!) }, { dq: scalars(dq), dv: scalars(dv) }));
  return [dq, dv];
});
