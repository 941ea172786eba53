/** The losses and their gradients: src/ops/losses.ts says what they are. */
import type { TensorInfo } from '@tensorflow/tfjs';
import { sizeOf } from '../../kernels.js';
import type { VitBackend } from '../backend.js';
import { invocations, lanesFor, scalars, type Operand } from '../pass.js';
import { defineKernel } from './kernel.js';
import { across, LANE_FUNCTIONS, overColumns, rowwise } from '../passes/lanes.js';
import { reduction } from '../passes/reduction.js';

/** Σ values, or the mean that `denominators` give, as a new scalar, by one workgroup. */
function total(
  backend: VitBackend,
  values: TensorInfo,
  factor: number,
  denominators?: TensorInfo,
): { sum: TensorInfo; weight: TensorInfo } {
  const [sum, weight] = [backend.output([]), backend.output([])];
  const threads = 256;
  const sumOf = (name: string, count: number): string => `
    var ${name}Sum = 0.0;
    for (var i = thread; i < ${count}u; i += ${threads}u) { ${name}Sum += ${name}[i]; }
    let ${name}Total = sumOfGroup(thread, ${name}Sum);`;
  backend.run({
    name: 'total',
    sizes: { values: sizeOf(values.shape), factor, denominators: denominators ? sizeOf(denominators.shape) : 0 },
    reads: { values: scalars(values), ...(denominators && { denominators: scalars(denominators) }) },
    writes: { sum: scalars(sum), weight: scalars(weight) },
    threads,
    groups: [1, 1, 1],
    code: () => ({
      declarations: reduction('sumOfGroup', 'f32', threads, (a, b) => `${a} + ${b}`),
      body: `
        ${sumOf('values', sizeOf(values.shape))}
        ${denominators ? sumOf('denominators', sizeOf(denominators.shape)) : ''}
        if (thread == 0u) {
          let by = ${denominators ? 'denominatorsTotal' : '1.0'};
          weight[0] = by;
          sum[0] = valuesTotal * ${factor} / by;
        }`,
    }),
  });
  return { sum, weight };
}

export const squaredError = defineKernel(
  'VitSquaredError',
  (backend, { input0: prediction, constant0: target, constant1: weights }) => {
    const rows = sizeOf(weights!.shape);
    const values = sizeOf(prediction!.shape) / rows;
    const errors = backend.output([rows]);
    const { lanes } = lanesFor(prediction!, values);
    const width = values / lanes;
    const { begin, ...layout } = rowwise(rows);
    backend.run({
      name: 'squaredError',
      sizes: { rows, values },
      reads: {
        prediction: lanesFor(prediction!, values),
        goal: lanesFor(target!, values),
        weights: scalars(weights!),
      },
      writes: { errors: scalars(errors) },
      ...layout,
      code: () => ({
        declarations: LANE_FUNCTIONS,
        body: `
          ${begin}
          var squares = ${lanes === 4 ? 'vec4<f32>(0.0)' : '0.0'};
          ${overColumns(width, `let error = prediction[row * ${width}u + column] - goal[row * ${width}u + column]; squares += error * error;`)}
          let sum = sumOfLanes(thread, ${across(lanes, 'squares')});
          if (own < ${rows}u && lane == 0u) { errors[row] = weights[row] * sum; }`,
      }),
    });
    const { sum, weight } = total(backend, errors, 1 / values, weights);
    backend.release(errors);
    return [sum, weight];
  },
);

/** One invocation for each value, or four of them. */
function byValue(
  backend: VitBackend,
  name: string,
  [rows, columns]: readonly [number, number],
  reads: Record<string, Operand>,
  value: (width: number) => string,
): TensorInfo {
  const y = backend.output([rows, columns]);
  const operand = lanesFor(y, columns);
  const width = columns / operand.lanes;
  const { begin, ...layout } = invocations(rows * width);
  backend.run({
    name,
    sizes: { rows, columns },
    reads,
    writes: { y: operand },
    ...layout,
    code: () => ({
      body: `
        ${begin}
        let row = i / ${width}u;
        y[i] = ${value(width)};`,
    }),
  });
  return y;
}

export const squaredErrorGradient = defineKernel(
  'VitSquaredErrorGrad',
  (backend, { dy, input0: prediction, constant0: target, constant1: weights, saved0: weight }) => {
    const rows = sizeOf(weights!.shape);
    const values = sizeOf(prediction!.shape) / rows;
    const reads = {
      prediction: lanesFor(prediction!, values),
      goal: lanesFor(target!, values),
      weights: scalars(weights!),
      dy: scalars(dy!),
      weight: scalars(weight!),
    };
    const gradient = byValue(
      backend,
      'squaredError, gradient',
      [rows, values],
      reads,
      () => `(weights[row] * dy[0] * ${2 / values} / weight[0]) * (prediction[i] - goal[i])`,
    );
    return { ...gradient, shape: prediction!.shape };
  },
);

export const softmaxCrossEntropy = defineKernel(
  'VitSoftmaxCrossEntropy',
  (backend, { input0: logits, constant0: target }) => {
    const [rows, classes] = logits!.shape as [number, number];
    const [losses, logSums] = [backend.output([rows]), backend.output([rows])];
    const { begin, ...layout } = rowwise(rows);
    backend.run({
      name: 'softmaxCrossEntropy',
      sizes: { rows, classes },
      reads: { logits: scalars(logits!), goal: scalars(target!) },
      writes: { losses: scalars(losses), logSums: scalars(logSums) },
      ...layout,
      code: () => ({
        declarations: LANE_FUNCTIONS,
        body: `
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
          if (own < ${rows}u && lane == 0u) { losses[row] = rowLoss; logSums[row] = logSum; }`,
      }),
    });
    const { sum, weight } = total(backend, losses, 1 / rows);
    backend.release(losses, weight);
    return [sum, logSums];
  },
);

export const softmaxCrossEntropyGradient = defineKernel(
  'VitSoftmaxCrossEntropyGrad',
  (backend, { dy, input0: logits, constant0: target, saved0: logSums }) => {
    const [rows, classes] = logits!.shape as [number, number];
    const reads = {
      logits: lanesFor(logits!, classes),
      goal: lanesFor(target!, classes),
      logSums: scalars(logSums!),
      dy: scalars(dy!),
    };
    return byValue(
      backend,
      'softmaxCrossEntropy, gradient',
      [rows, classes],
      reads,
      () => `(exp(logits[i] - logSums[row]) - goal[i]) * (dy[0] * ${1 / rows})`,
    );
  },
);
