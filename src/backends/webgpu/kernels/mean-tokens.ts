/** VitMeanTokens and its gradient: src/ops/mean-tokens.ts describes them. */
import { computedType, definePass, invocations, lanesFor } from '../pass.js';
import { defineKernel } from './kernel.js';

interface Sizes {
  readonly batch: number;
  readonly tokens: number;
  readonly dim: number;
}

const meanTokensPass = definePass<Sizes, 'x', 'y'>('meanTokens', ({ batch, tokens, dim }, { x }) => {
  const width = dim / x.lanes;
  const { begin, ...layout } = invocations(batch * width);
  const body = `
    ${begin}
    let first = i / ${width}u * ${tokens * width}u + i % ${width}u;
    var sum = ${computedType(x)}(0.0);
    for (var token = 0u; token < ${tokens}u; token++) { sum += x[first + token * ${width}u]; }
    y[i] = sum / ${tokens}.0;`;
  return { ...layout, body };
});

export const meanTokens = defineKernel('VitMeanTokens', (backend, { input0: x }) => {
  const [batch, tokens, dim] = x!.shape as [number, number, number];
  const y = backend.output([batch, dim]);
  backend.run(meanTokensPass({ batch, tokens, dim }, { x: lanesFor(x!, dim) }, { y: lanesFor(y, dim) }));
  return y;
});

const gradientPass = definePass<Sizes, 'dy', 'dx'>('meanTokens, gradient', ({ batch, tokens, dim }, { dy }) => {
  const width = dim / dy.lanes;
  const { begin, ...layout } = invocations(batch * tokens * width);
  const body = `
    ${begin}
    dx[i] = dy[i / ${tokens * width}u * ${width}u + i % ${width}u] / ${tokens}.0;`;
  return { ...layout, body };
});

export const meanTokensGradient = defineKernel('VitMeanTokensGrad', (backend, { dy, input0: x }) => {
  const [batch, tokens, dim] = x!.shape as [number, number, number];
  const dx = backend.output(x!.shape);
  backend.run(gradientPass({ batch, tokens, dim }, { dy: lanesFor(dy!, dim) }, { dx: lanesFor(dx, dim) }));
  return dx;
});
