/** What the module exports to src/backends/simd/tasks. Pointers are byte offsets in the shared memory. */
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
