/**
 * The exports of the module. Their parameters of type `usize` are byte offsets in the shared memory. build.js writes their
 * types to src/backends/simd/exports.ts.
 */
export { adamW } from './adamw';
export { multiplyRounded, roundRows, widenRows } from './bfloat16';
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
export { gelu, geluRounded } from './gelu';
export { gemm, gemmScratchBytes } from './gemm';
export { layerNorm, layerNormGradient, layerNormRounded } from './layer-norm';
export { crossEntropy, crossEntropyGradient, squaredError, squaredErrorGradient, sum, sumOfSquares } from './losses';
export { addWeightedRows, fillRows, gatherRows, sumColumns, sumRows, sumRowsRounded } from './rows';
export { softmax, softmaxGradient } from './softmax';
