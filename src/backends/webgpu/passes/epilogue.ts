/** The operations on a value of a product before it is written: bias, GELU with its derivative, residual. */
import type * as tf from '@tensorflow/tfjs';
import type { VitBackend } from '../backend.js';
import { computedType, typeOf, type BufferElements, type ByBuffer, type Operand } from '../pass.js';
import { GELU } from './gelu.js';

/** Names of the buffers of an epilogue. The operations of a pass follow from the buffers that it has. */
export type EpilogueReads = 'bias?' | 'residual?';
export type EpilogueWrites = 'y' | 'derivative?';

export interface Epilogue {
  readonly reads: ByBuffer<EpilogueReads, Operand>;
  readonly writes: ByBuffer<EpilogueWrites, Operand>;
}

export interface EpilogueParts {
  readonly y: tf.TensorInfo;
  readonly bias?: tf.TensorInfo | undefined;
  readonly residual?: tf.TensorInfo | undefined;
  /** Applies GELU, and receives its derivative. */
  readonly derivative?: tf.TensorInfo | undefined;
}

/** @param columns Columns of the product. */
export function makeEpilogue(
  backend: VitBackend,
  { y, bias, residual, derivative }: EpilogueParts,
  columns: number,
): Epilogue {
  const operand = (tensor: tf.TensorInfo): Operand => backend.asStored(tensor, columns);
  return {
    reads: { bias: bias && operand(bias), residual: residual && operand(residual) },
    writes: { y: operand(y), derivative: derivative && operand(derivative) },
  };
}

/** The same with single values instead of vectors. */
export function inScalars({ reads: { bias, residual }, writes: { y, derivative } }: Epilogue): Epilogue {
  const single = (operand: Operand): Operand => ({ ...operand, lanes: 1 });
  return {
    reads: { bias: bias && single(bias), residual: residual && single(residual) },
    writes: { y: single(y), derivative: derivative && single(derivative) },
  };
}

/** A new tensor for the product itself, and the epilogue that writes it. */
export function plainResult(
  backend: VitBackend,
  shape: readonly number[],
  columns: number,
): { y: tf.TensorInfo; after: Epilogue } {
  const y = backend.output(shape);
  return { y, after: makeEpilogue(backend, { y }, columns) };
}

/**
 * WGSL: `storeFour(row, column, value, offset)` and `storeOne` with the same parameters. They write nothing outside the
 * result. `offset` is the start of this part of the result, in values.
 */
export function epilogue(
  { bias, residual, y, derivative }: ByBuffer<EpilogueReads | EpilogueWrites, BufferElements>,
  { rows, columns }: { rows: number; columns: number },
): string {
  const fours = y.lanes === 4;
  const type = computedType(y);
  const lines = [
    bias ? `value += bias[column${fours ? ' / 4u' : ''}];` : '',
    derivative
      ? `let pair = gelu(value); value = pair.value; derivative[at] = ${typeOf(derivative)}(pair.derivative);`
      : '',
    residual ? 'value += residual[at];' : '',
  ];
  const store = `
    fn store${fours ? 'Four' : 'One'}(row: u32, column: u32, sum: ${type}, offset: u32) {
      if (row >= ${rows}u || column >= ${columns}u) { return; }
      let at = (offset + row * ${columns}u + column)${fours ? ' / 4u' : ''};
      var value = sum;
      ${lines.join('\n')}
      y[at] = ${typeOf(y)}(value);
    }`;
  const other = fours
    ? ''
    : `fn storeFour(row: u32, column: u32, sum: vec4<f32>, offset: u32) {
        ${[0, 1, 2, 3].map((j) => `storeOne(row, column + ${j}u, sum[${j}], offset);`).join('\n')}
      }`;
  return [derivative ? GELU(type) : '', store, other].join('\n');
}
