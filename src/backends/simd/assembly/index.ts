/**
 * The exports of the module. Their parameters of type `usize` are byte offsets in the shared memory. build.js writes their
 * types to src/backends/simd/exports.ts.
 */
export { adamW } from './adamw';
export { copyStrided, expandChannels, scatterRows } from './copy';
export {
  absolute,
  add,
  clip,
  divide,
  exponential,
  fill,
  inverseSquareRoot,
  maximum,
  minimum,
  multiply,
  negate,
  scale,
  square,
  squareRoot,
  subtract,
} from './elementwise';
export { gelu } from './gelu';
export { gemm, gemmScratchBytes } from './gemm';
export { layerNorm, layerNormGradient } from './layer-norm';
export { crossEntropy, crossEntropyGradient, squaredError, squaredErrorGradient, sum } from './losses';
export { addWeightedRows, fillRows, gatherRows, sumColumns, sumRows } from './rows';
export { softmax, softmaxGradient } from './softmax';
