/** The module's kernels with their types. Written by build.js from the compiler's bindings: do not edit. */
import type { Address } from './address.js';

/** Each kernel takes one record. Its fields have the names of the parameters in the AssemblyScript source. */
export interface Kernels {
  /** assembly/adamw.ts */
  adamW: (values: {
    readonly value: Address;
    readonly rounded: Address;
    readonly first: Address;
    readonly second: Address;
    readonly gradient: Address;
    readonly count: number;
    readonly beta1: number;
    readonly beta2: number;
    readonly oneMinusBeta1: number;
    readonly oneMinusBeta2: number;
    readonly epsilon: number;
    readonly keep: number;
    readonly stepSize: number;
    readonly inverseBias: number;
    readonly gradientScale: number;
  }) => void;

  /** assembly/bfloat16.ts */
  multiplyRounded: (values: {
    readonly a: Address;
    readonly b: Address;
    readonly out: Address;
    readonly count: number;
  }) => void;

  /** assembly/bfloat16.ts */
  roundRows: (values: {
    readonly x: Address;
    readonly xStride: number;
    readonly out: Address;
    readonly outStride: number;
    readonly rows: number;
    readonly columns: number;
  }) => void;

  /** assembly/bfloat16.ts */
  widenRows: (values: {
    readonly x: Address;
    readonly xStride: number;
    readonly out: Address;
    readonly outStride: number;
    readonly rows: number;
    readonly columns: number;
  }) => void;

  /** assembly/copy.ts */
  copyStrided: (values: {
    readonly x: Address;
    readonly out: Address;
    readonly n0: number;
    readonly n1: number;
    readonly n2: number;
    readonly n3: number;
    readonly s0: number;
    readonly s1: number;
    readonly s2: number;
    readonly s3: number;
  }) => void;

  /** assembly/copy.ts */
  expandChannels: (values: {
    readonly matrix: Address;
    readonly out: Address;
    readonly output: number;
    readonly input: number;
    readonly channels: number;
  }) => void;

  /** assembly/copy.ts */
  scatterRows: (values: {
    readonly x: Address;
    readonly out: Address;
    readonly rows: number;
    readonly columns: number;
    readonly stride: number;
  }) => void;

  /** assembly/elementwise.ts */
  absolute: (values: { readonly x: Address; readonly out: Address; readonly count: number }) => void;

  /** assembly/elementwise.ts */
  add: (values: {
    readonly a: Address;
    readonly b: Address;
    readonly out: Address;
    readonly rows: number;
    readonly columns: number;
    readonly aRow: number;
    readonly bRow: number;
    readonly aStep: number;
    readonly bStep: number;
  }) => void;

  /** assembly/elementwise.ts */
  clip: (values: {
    readonly x: Address;
    readonly out: Address;
    readonly count: number;
    readonly low: number;
    readonly high: number;
  }) => void;

  /** assembly/elementwise.ts */
  divide: (values: {
    readonly a: Address;
    readonly b: Address;
    readonly out: Address;
    readonly rows: number;
    readonly columns: number;
    readonly aRow: number;
    readonly bRow: number;
    readonly aStep: number;
    readonly bStep: number;
  }) => void;

  /** assembly/elementwise.ts */
  exponential: (values: { readonly x: Address; readonly out: Address; readonly count: number }) => void;

  /** assembly/elementwise.ts */
  fill: (values: { readonly out: Address; readonly count: number; readonly value: number }) => void;

  /** assembly/elementwise.ts */
  inverseSquareRoot: (values: { readonly x: Address; readonly out: Address; readonly count: number }) => void;

  /** assembly/elementwise.ts */
  maximum: (values: {
    readonly a: Address;
    readonly b: Address;
    readonly out: Address;
    readonly rows: number;
    readonly columns: number;
    readonly aRow: number;
    readonly bRow: number;
    readonly aStep: number;
    readonly bStep: number;
  }) => void;

  /** assembly/elementwise.ts */
  minimum: (values: {
    readonly a: Address;
    readonly b: Address;
    readonly out: Address;
    readonly rows: number;
    readonly columns: number;
    readonly aRow: number;
    readonly bRow: number;
    readonly aStep: number;
    readonly bStep: number;
  }) => void;

  /** assembly/elementwise.ts */
  multiply: (values: {
    readonly a: Address;
    readonly b: Address;
    readonly out: Address;
    readonly rows: number;
    readonly columns: number;
    readonly aRow: number;
    readonly bRow: number;
    readonly aStep: number;
    readonly bStep: number;
  }) => void;

  /** assembly/elementwise.ts */
  negate: (values: { readonly x: Address; readonly out: Address; readonly count: number }) => void;

  /** assembly/elementwise.ts */
  scale: (values: { readonly x: Address; readonly count: number; readonly factor: number }) => void;

  /** assembly/elementwise.ts */
  square: (values: { readonly x: Address; readonly out: Address; readonly count: number }) => void;

  /** assembly/elementwise.ts */
  squareRoot: (values: { readonly x: Address; readonly out: Address; readonly count: number }) => void;

  /** assembly/elementwise.ts */
  subtract: (values: {
    readonly a: Address;
    readonly b: Address;
    readonly out: Address;
    readonly rows: number;
    readonly columns: number;
    readonly aRow: number;
    readonly bRow: number;
    readonly aStep: number;
    readonly bStep: number;
  }) => void;

  /** assembly/gelu.ts */
  gelu: (values: { readonly z: Address; readonly derivative: Address; readonly count: number }) => void;

  /** assembly/gelu.ts */
  geluRounded: (values: {
    readonly z: Address;
    readonly y: Address;
    readonly derivative: Address;
    readonly count: number;
  }) => void;

  /** assembly/gemm.ts */
  gemm: (values: {
    readonly transposeA: number;
    readonly transposeB: number;
    readonly m: number;
    readonly n: number;
    readonly k: number;
    readonly alpha: number;
    readonly a: Address;
    readonly lda: number;
    readonly b: Address;
    readonly ldb: number;
    readonly beta: number;
    readonly c: Address;
    readonly ldc: number;
    readonly scratch: Address;
  }) => void;

  /** assembly/gemm.ts */
  gemmScratchBytes: () => number;

  /** assembly/layer-norm.ts */
  layerNorm: (values: {
    readonly x: Address;
    readonly scale: Address;
    readonly shift: Address;
    readonly y: Address;
    readonly statistics: Address;
    readonly rows: number;
    readonly dim: number;
    readonly epsilon: number;
  }) => void;

  /** assembly/layer-norm.ts */
  layerNormGradient: (values: {
    readonly dy: Address;
    readonly x: Address;
    readonly scale: Address;
    readonly statistics: Address;
    readonly dx: Address;
    readonly dScale: Address;
    readonly dShift: Address;
    readonly rows: number;
    readonly dim: number;
  }) => void;

  /** assembly/layer-norm.ts */
  layerNormRounded: (values: {
    readonly x: Address;
    readonly scale: Address;
    readonly shift: Address;
    readonly y: Address;
    readonly statistics: Address;
    readonly rows: number;
    readonly dim: number;
    readonly epsilon: number;
  }) => void;

  /** assembly/losses.ts */
  crossEntropy: (values: {
    readonly logits: Address;
    readonly target: Address;
    readonly logProbabilities: Address;
    readonly rows: number;
    readonly classes: number;
  }) => number;

  /** assembly/losses.ts */
  crossEntropyGradient: (values: {
    readonly logProbabilities: Address;
    readonly target: Address;
    readonly out: Address;
    readonly count: number;
    readonly factor: number;
  }) => void;

  /** assembly/losses.ts */
  squaredError: (values: {
    readonly prediction: Address;
    readonly target: Address;
    readonly weights: Address;
    readonly rows: number;
    readonly values: number;
  }) => number;

  /** assembly/losses.ts */
  squaredErrorGradient: (values: {
    readonly prediction: Address;
    readonly target: Address;
    readonly weights: Address;
    readonly out: Address;
    readonly rows: number;
    readonly values: number;
    readonly factor: number;
  }) => void;

  /** assembly/losses.ts */
  sum: (values: { readonly x: Address; readonly count: number }) => number;

  /** assembly/losses.ts */
  sumOfSquares: (values: { readonly x: Address; readonly count: number }) => number;

  /** assembly/rows.ts */
  addWeightedRows: (values: {
    readonly x: Address;
    readonly weights: Address;
    readonly rows: number;
    readonly columns: number;
    readonly sums: Address;
  }) => void;

  /** assembly/rows.ts */
  fillRows: (values: {
    readonly out: Address;
    readonly row: Address;
    readonly rows: number;
    readonly columns: number;
  }) => void;

  /** assembly/rows.ts */
  gatherRows: (values: {
    readonly out: Address;
    readonly x: Address;
    readonly index: Address;
    readonly rows: number;
    readonly columns: number;
    readonly limit: number;
    readonly fill: Address;
  }) => void;

  /** assembly/rows.ts */
  sumColumns: (values: {
    readonly x: Address;
    readonly rows: number;
    readonly columns: number;
    readonly out: Address;
  }) => void;

  /** assembly/rows.ts */
  sumRows: (values: {
    readonly x: Address;
    readonly rows: number;
    readonly columns: number;
    readonly stride: number;
    readonly out: Address;
  }) => void;

  /** assembly/rows.ts */
  sumRowsRounded: (values: {
    readonly x: Address;
    readonly rows: number;
    readonly columns: number;
    readonly stride: number;
    readonly out: Address;
  }) => void;

  /** assembly/softmax.ts */
  softmax: (values: {
    readonly x: Address;
    readonly rows: number;
    readonly columns: number;
    readonly stride: number;
  }) => void;

  /** assembly/softmax.ts */
  softmaxGradient: (values: {
    readonly p: Address;
    readonly dy: Address;
    readonly rows: number;
    readonly columns: number;
    readonly stride: number;
  }) => void;
}

/** How many parameters each function of the module has. */
const PARAMETERS: Readonly<Record<keyof Kernels, number>> = {
  adamW: 15,
  multiplyRounded: 4,
  roundRows: 6,
  widenRows: 6,
  copyStrided: 10,
  expandChannels: 5,
  scatterRows: 5,
  absolute: 3,
  add: 9,
  clip: 5,
  divide: 9,
  exponential: 3,
  fill: 3,
  inverseSquareRoot: 3,
  maximum: 9,
  minimum: 9,
  multiply: 9,
  negate: 3,
  scale: 3,
  square: 3,
  squareRoot: 3,
  subtract: 9,
  gelu: 3,
  geluRounded: 4,
  gemm: 14,
  gemmScratchBytes: 0,
  layerNorm: 8,
  layerNormGradient: 9,
  layerNormRounded: 8,
  crossEntropy: 5,
  crossEntropyGradient: 5,
  squaredError: 5,
  squaredErrorGradient: 7,
  sum: 2,
  sumOfSquares: 2,
  addWeightedRows: 5,
  fillRows: 4,
  gatherRows: 7,
  sumColumns: 4,
  sumRows: 5,
  sumRowsRounded: 5,
  softmax: 4,
  softmaxGradient: 5,
};

type Positional = { readonly [Name in keyof Kernels]: (...values: number[]) => ReturnType<Kernels[Name]> };

/**
 * @param exports The exports of an instance of the module.
 * @throws Error if the module was built from another version: a function is missing or has other parameters.
 */
export function typedKernels(exports: Readonly<Record<string, unknown>>): Kernels {
  const wrong = Object.entries(PARAMETERS).filter(([name, count]) => {
    const kernel = exports[name];
    return typeof kernel !== 'function' || kernel.length !== count;
  });
  if (wrong.length > 0) {
    const names = wrong.map(([name]) => name).join(', ');
    throw new Error(`kernels.wasm is of another build (${names}): run \`npm run build\``);
  }
  const module = exports as unknown as Positional;
  return {
    adamW: (values) => {
      module.adamW(
        values.value,
        values.rounded,
        values.first,
        values.second,
        values.gradient,
        values.count,
        values.beta1,
        values.beta2,
        values.oneMinusBeta1,
        values.oneMinusBeta2,
        values.epsilon,
        values.keep,
        values.stepSize,
        values.inverseBias,
        values.gradientScale,
      );
    },
    multiplyRounded: (values) => {
      module.multiplyRounded(values.a, values.b, values.out, values.count);
    },
    roundRows: (values) => {
      module.roundRows(values.x, values.xStride, values.out, values.outStride, values.rows, values.columns);
    },
    widenRows: (values) => {
      module.widenRows(values.x, values.xStride, values.out, values.outStride, values.rows, values.columns);
    },
    copyStrided: (values) => {
      module.copyStrided(
        values.x,
        values.out,
        values.n0,
        values.n1,
        values.n2,
        values.n3,
        values.s0,
        values.s1,
        values.s2,
        values.s3,
      );
    },
    expandChannels: (values) => {
      module.expandChannels(values.matrix, values.out, values.output, values.input, values.channels);
    },
    scatterRows: (values) => {
      module.scatterRows(values.x, values.out, values.rows, values.columns, values.stride);
    },
    absolute: (values) => {
      module.absolute(values.x, values.out, values.count);
    },
    add: (values) => {
      module.add(
        values.a,
        values.b,
        values.out,
        values.rows,
        values.columns,
        values.aRow,
        values.bRow,
        values.aStep,
        values.bStep,
      );
    },
    clip: (values) => {
      module.clip(values.x, values.out, values.count, values.low, values.high);
    },
    divide: (values) => {
      module.divide(
        values.a,
        values.b,
        values.out,
        values.rows,
        values.columns,
        values.aRow,
        values.bRow,
        values.aStep,
        values.bStep,
      );
    },
    exponential: (values) => {
      module.exponential(values.x, values.out, values.count);
    },
    fill: (values) => {
      module.fill(values.out, values.count, values.value);
    },
    inverseSquareRoot: (values) => {
      module.inverseSquareRoot(values.x, values.out, values.count);
    },
    maximum: (values) => {
      module.maximum(
        values.a,
        values.b,
        values.out,
        values.rows,
        values.columns,
        values.aRow,
        values.bRow,
        values.aStep,
        values.bStep,
      );
    },
    minimum: (values) => {
      module.minimum(
        values.a,
        values.b,
        values.out,
        values.rows,
        values.columns,
        values.aRow,
        values.bRow,
        values.aStep,
        values.bStep,
      );
    },
    multiply: (values) => {
      module.multiply(
        values.a,
        values.b,
        values.out,
        values.rows,
        values.columns,
        values.aRow,
        values.bRow,
        values.aStep,
        values.bStep,
      );
    },
    negate: (values) => {
      module.negate(values.x, values.out, values.count);
    },
    scale: (values) => {
      module.scale(values.x, values.count, values.factor);
    },
    square: (values) => {
      module.square(values.x, values.out, values.count);
    },
    squareRoot: (values) => {
      module.squareRoot(values.x, values.out, values.count);
    },
    subtract: (values) => {
      module.subtract(
        values.a,
        values.b,
        values.out,
        values.rows,
        values.columns,
        values.aRow,
        values.bRow,
        values.aStep,
        values.bStep,
      );
    },
    gelu: (values) => {
      module.gelu(values.z, values.derivative, values.count);
    },
    geluRounded: (values) => {
      module.geluRounded(values.z, values.y, values.derivative, values.count);
    },
    gemm: (values) => {
      module.gemm(
        values.transposeA,
        values.transposeB,
        values.m,
        values.n,
        values.k,
        values.alpha,
        values.a,
        values.lda,
        values.b,
        values.ldb,
        values.beta,
        values.c,
        values.ldc,
        values.scratch,
      );
    },
    gemmScratchBytes: () => module.gemmScratchBytes(),
    layerNorm: (values) => {
      module.layerNorm(
        values.x,
        values.scale,
        values.shift,
        values.y,
        values.statistics,
        values.rows,
        values.dim,
        values.epsilon,
      );
    },
    layerNormGradient: (values) => {
      module.layerNormGradient(
        values.dy,
        values.x,
        values.scale,
        values.statistics,
        values.dx,
        values.dScale,
        values.dShift,
        values.rows,
        values.dim,
      );
    },
    layerNormRounded: (values) => {
      module.layerNormRounded(
        values.x,
        values.scale,
        values.shift,
        values.y,
        values.statistics,
        values.rows,
        values.dim,
        values.epsilon,
      );
    },
    crossEntropy: (values) =>
      module.crossEntropy(values.logits, values.target, values.logProbabilities, values.rows, values.classes),
    crossEntropyGradient: (values) => {
      module.crossEntropyGradient(values.logProbabilities, values.target, values.out, values.count, values.factor);
    },
    squaredError: (values) =>
      module.squaredError(values.prediction, values.target, values.weights, values.rows, values.values),
    squaredErrorGradient: (values) => {
      module.squaredErrorGradient(
        values.prediction,
        values.target,
        values.weights,
        values.out,
        values.rows,
        values.values,
        values.factor,
      );
    },
    sum: (values) => module.sum(values.x, values.count),
    sumOfSquares: (values) => module.sumOfSquares(values.x, values.count),
    addWeightedRows: (values) => {
      module.addWeightedRows(values.x, values.weights, values.rows, values.columns, values.sums);
    },
    fillRows: (values) => {
      module.fillRows(values.out, values.row, values.rows, values.columns);
    },
    gatherRows: (values) => {
      module.gatherRows(values.out, values.x, values.index, values.rows, values.columns, values.limit, values.fill);
    },
    sumColumns: (values) => {
      module.sumColumns(values.x, values.rows, values.columns, values.out);
    },
    sumRows: (values) => {
      module.sumRows(values.x, values.rows, values.columns, values.stride, values.out);
    },
    sumRowsRounded: (values) => {
      module.sumRowsRounded(values.x, values.rows, values.columns, values.stride, values.out);
    },
    softmax: (values) => {
      module.softmax(values.x, values.rows, values.columns, values.stride);
    },
    softmaxGradient: (values) => {
      module.softmaxGradient(values.p, values.dy, values.rows, values.columns, values.stride);
    },
  };
}
