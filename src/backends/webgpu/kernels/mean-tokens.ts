/** VitMeanTokens and its gradient: src/ops/mean-tokens.ts says what they are. */
import { computedType, invocations, lanesFor } from '../pass.js';
import { defineKernel } from './kernel.js';

export const meanTokens = defineKernel('VitMeanTokens', (backend, { input0: x }) => {
  const [batch, tokens, dim] = x!.shape as [number, number, number];
  const y = backend.output([batch, dim]);
  const operand = lanesFor(x!, dim);
  const width = dim / operand.lanes;
  const { begin, ...layout } = invocations(batch * width);
  backend.run({
    name: 'meanTokens',
    sizes: { batch, tokens, dim },
    reads: { x: operand },
    writes: { y: lanesFor(y, dim) },
    ...layout,
    code: () => ({
      body: `
        ${begin}
        let first = i / ${width}u * ${tokens * width}u + i % ${width}u;
        var sum = ${computedType(operand)}(0.0);
        for (var token = 0u; token < ${tokens}u; token++) { sum += x[first + token * ${width}u]; }
        y[i] = sum / ${tokens}.0;`,
    }),
  });
  return y;
});

export const meanTokensGradient = defineKernel('VitMeanTokensGrad', (backend, { dy, input0: x }) => {
  const [batch, tokens, dim] = x!.shape as [number, number, number];
  const dx = backend.output(x!.shape);
  const operand = lanesFor(dy!, dim);
  const width = dim / operand.lanes;
  const { begin, ...layout } = invocations(batch * tokens * width);
  backend.run({
    name: 'meanTokens, gradient',
    sizes: { batch, tokens, dim },
    reads: { dy: operand },
    writes: { dx: lanesFor(dx, dim) },
    ...layout,
    code: () => ({
      body: `
        ${begin}
        dx[i] = dy[i / ${tokens * width}u * ${width}u + i % ${width}u] / ${tokens}.0;`,
    }),
  });
  return dx;
});
