/** VitQkvBias and its gradient: src/ops/qkv-bias.ts says what they are. */
import { invocations, scalars } from '../pass.js';
import { defineKernel } from './kernel.js';

export const qkvBias = defineKernel('VitQkvBias', (backend, { input0: q, input1: v }) => {
  const dim = q!.shape[0]!;
  const y = backend.output([3 * dim]);
  const { begin, ...layout } = invocations(dim);
  backend.run({
    name: 'qkvBias',
    sizes: { dim },
    reads: { q: scalars(q!), v: scalars(v!) },
    writes: { y: scalars(y) },
    ...layout,
    code: () => ({
      body: `
        ${begin}
        y[i] = q[i];
        y[i + ${dim}u] = 0.0;
        y[i + ${2 * dim}u] = v[i];`,
    }),
  });
  return y;
});

export const qkvBiasGradient = defineKernel('VitQkvBiasGrad', (backend, { dy, input0: q }) => {
  const dim = q!.shape[0]!;
  const [dq, dv] = [backend.output([dim]), backend.output([dim])];
  const { begin, ...layout } = invocations(dim);
  backend.run({
    name: 'qkvBias, gradient',
    sizes: { dim },
    reads: { dy: scalars(dy!) },
    writes: { dq: scalars(dq), dv: scalars(dv) },
    ...layout,
    code: () => ({
      body: `
        ${begin}
        dq[i] = dy[i];
        dv[i] = dy[i + ${2 * dim}u];`,
    }),
  });
  return [dq, dv];
});
