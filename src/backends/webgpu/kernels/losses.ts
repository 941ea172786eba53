/** The losses and their gradients: src/ops/losses.ts describes them. */
import type { TensorInfo } from '@tensorflow/tfjs';
import { sizeOf } from '../../kernels.js';
import type { VitBackend } from '../backend.js';
import { definePass, invocations, lanesFor, scalars, type BufferElements, type Shader } from '../pass.js';
import { across, LANE_FUNCTIONS, overColumns, rowwise } from '../passes/lanes.js';
import { reduction } from '../passes/reduction.js';
import { defineKernel } from './kernel.js';

const TOTAL_THREADS = 256;

/** Numbers of values and of denominators; without denominators, 0. */
const totalPass = definePass<
  { values: number; factor: number; denominators: number },
  'values' | 'denominators?',
  'sum' | 'weight'
>('total', (sizes, types) => {
  const sumOf = (name: 'values' | 'denominators'): string => `
    var ${name}Sum = 0.0;
    for (var i = thread; i < ${sizes[name]}u; i += ${TOTAL_THREADS}u) { ${name}Sum += ${name}[i]; }
    let ${name}Total = sumOfGroup(thread, ${name}Sum);`;
  const declarations = reduction('sumOfGroup', 'f32', TOTAL_THREADS, (a, b) => `${a} + ${b}`);
  const body = `
    ${sumOf('values')}
    ${types.denominators ? sumOf('denominators') : ''}
    if (thread == 0u) {
      let by = ${types.denominators ? 'denominatorsTotal' : '1.0'};
      weight[0] = by;
      sum[0] = valuesTotal * ${sizes.factor} / by;
    }`;
  return { threads: TOTAL_THREADS, groups: [1, 1, 1], declarations, body };
});

/**
 * factor·Σ values / Σ denominators, computed by one workgroup.
 *
 * @returns The quotient, and Σ denominators or 1; new scalars.
 */
function total(
  backend: VitBackend,
  values: TensorInfo,
  factor: number,
  denominators?: TensorInfo,
): { sum: TensorInfo; weight: TensorInfo } {
  const [sum, weight] = [backend.output([]), backend.output([])];
  const count = denominators ? sizeOf(denominators.shape) : 0;
  const reads = { values: scalars(values), denominators: denominators && scalars(denominators) };
  const sizes = { values: sizeOf(values.shape), factor, denominators: count };
  backend.run(totalPass(sizes, reads, { sum: scalars(sum), weight: scalars(weight) }));
  return { sum, weight };
}

const squaredErrorPass = definePass<{ rows: number; values: number }, 'prediction' | 'goal' | 'weights', 'errors'>(
  'squaredError',
  ({ rows, values }, { prediction }) => {
    const { begin, ...layout } = rowwise(rows);
    const { lanes } = prediction;
    const width = values / lanes;
    const body = `
    ${begin}
    var squares = ${lanes === 4 ? 'vec4<f32>(0.0)' : '0.0'};
    ${overColumns(width, `let error = prediction[row * ${width}u + column] - goal[row * ${width}u + column]; squares += error * error;`)}
    let sum = sumOfLanes(thread, ${across(lanes, 'squares')});
    if (own < ${rows}u && lane == 0u) { errors[row] = weights[row] * sum; }`;
    return { ...layout, declarations: LANE_FUNCTIONS, body };
  },
);

export const squaredError = defineKernel(
  'VitSquaredError',
  (backend, { input0: prediction, constant0: target, constant1: weights }) => {
    const rows = sizeOf(weights!.shape);
    const values = sizeOf(prediction!.shape) / rows;
    const errors = backend.output([rows]);
    const operands = { prediction: lanesFor(prediction!, values), goal: lanesFor(target!, values) };
    const reads = { ...operands, weights: scalars(weights!) };
    backend.run(squaredErrorPass({ rows, values }, reads, { errors: scalars(errors) }));
    const { sum, weight } = total(backend, errors, 1 / values, weights);
    backend.release(errors);
    return [sum, weight];
  },
);

interface Table {
  readonly rows: number;
  readonly columns: number;
}

/** A shader with an invocation for each value of y, or for four of them; `value` is WGSL with `i` and `row` in scope. */
function byValue({ rows, columns }: Table, y: BufferElements, value: string): Shader {
  const width = columns / y.lanes;
  const { begin, ...layout } = invocations(rows * width);
  const body = `
    ${begin}
    let row = i / ${width}u;
    y[i] = ${value};`;
  return { ...layout, body };
}

const squaredErrorGradientPass = definePass<Table, 'prediction' | 'goal' | 'weights' | 'dy' | 'weight', 'y'>(
  'squaredError, gradient',
  (table, { y }) =>
    byValue(table, y, `(weights[row] * dy[0] * ${2 / table.columns} / weight[0]) * (prediction[i] - goal[i])`),
);

export const squaredErrorGradient = defineKernel(
  'VitSquaredErrorGrad',
  (backend, { dy, input0: prediction, constant0: target, constant1: weights, saved0: weight }) => {
    const rows = sizeOf(weights!.shape);
    const columns = sizeOf(prediction!.shape) / rows;
    const y = backend.output([rows, columns]);
    const reads = {
      prediction: lanesFor(prediction!, columns),
      goal: lanesFor(target!, columns),
      weights: scalars(weights!),
      dy: scalars(dy!),
      weight: scalars(weight!),
    };
    backend.run(squaredErrorGradientPass({ rows, columns }, reads, { y: lanesFor(y, columns) }));
    return { ...y, shape: prediction!.shape };
  },
);

const crossEntropyPass = definePass<{ rows: number; classes: number }, 'logits' | 'goal', 'losses' | 'logSums'>(
  'softmaxCrossEntropy',
  ({ rows, classes }) => {
    const { begin, ...layout } = rowwise(rows);
    const body = `
      ${begin}
      var highest = -3e38;
      ${overColumns(classes, `highest = max(highest, logits[row * ${classes}u + column]);`)}
      let top = maxOfLanes(thread, highest);
      var sum = 0.0;
      ${overColumns(classes, `sum += exp(logits[row * ${classes}u + column] - top);`)}
      let logSum = top + log(sumOfLanes(thread, sum));
      var loss = 0.0;
      ${overColumns(classes, `loss += goal[row * ${classes}u + column] * (logSum - logits[row * ${classes}u + column]);`)}
      let rowLoss = sumOfLanes(thread, loss);
      if (own < ${rows}u && lane == 0u) { losses[row] = rowLoss; logSums[row] = logSum; }`;
    return { ...layout, declarations: LANE_FUNCTIONS, body };
  },
);

export const softmaxCrossEntropy = defineKernel(
  'VitSoftmaxCrossEntropy',
  (backend, { input0: logits, constant0: target }) => {
    const [rows, classes] = logits!.shape as [number, number];
    const [losses, logSums] = [backend.output([rows]), backend.output([rows])];
    const reads = { logits: scalars(logits!), goal: scalars(target!) };
    backend.run(crossEntropyPass({ rows, classes }, reads, { losses: scalars(losses), logSums: scalars(logSums) }));
    const { sum, weight } = total(backend, losses, 1 / rows);
    backend.release(losses, weight);
    return [sum, logSums];
  },
);

const crossEntropyGradientPass = definePass<Table, 'logits' | 'goal' | 'logSums' | 'dy', 'y'>(
  'softmaxCrossEntropy, gradient',
  (table, { y }) => byValue(table, y, `(exp(logits[i] - logSums[row]) - goal[i]) * (dy[0] * ${1 / table.rows})`),
);

export const softmaxCrossEntropyGradient = defineKernel(
  'VitSoftmaxCrossEntropyGrad',
  (backend, { dy, input0: logits, constant0: target, saved0: logSums }) => {
    const [rows, columns] = logits!.shape as [number, number];
    const y = backend.output([rows, columns]);
    const reads = {
      logits: lanesFor(logits!, columns),
      goal: lanesFor(target!, columns),
      logSums: scalars(logSums!),
      dy: scalars(dy!),
    };
    backend.run(crossEntropyGradientPass({ rows, columns }, reads, { y: lanesFor(y, columns) }));
    return y;
  },
);
