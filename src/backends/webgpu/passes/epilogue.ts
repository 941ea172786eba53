/** What happens to a value of a product before it is written: bias, GELU with its derivative, residual. */
import type * as tf from '@tensorflow/tfjs';
import type { VitBackend } from '../backend.js';
import { computedType, typeOf, type Operand } from '../pass.js';
import { GELU } from './gelu.js';

/** Operands and the choices that the code depends on. */
export interface Epilogue {
  readonly key: string;
  readonly reads: Readonly<Record<string, Operand>>;
  readonly writes: Readonly<Record<string, Operand>>;
}

export interface EpilogueParts {
  readonly y: tf.TensorInfo;
  readonly bias?: tf.TensorInfo | undefined;
  readonly residual?: tf.TensorInfo | undefined;
  /** Where GELU follows: gets its derivative. */
  readonly derivative?: tf.TensorInfo | undefined;
}

/** @param columns Of the product. */
export function makeEpilogue(
  backend: VitBackend,
  { y, bias, residual, derivative }: EpilogueParts,
  columns: number,
): Epilogue {
  const operand = (tensor: tf.TensorInfo): Operand => backend.asStored(tensor, columns);
  return {
    key: [bias && 'bias', residual && 'residual', derivative && 'gelu'].filter(Boolean).join(),
    reads: { ...(bias && { bias: operand(bias) }), ...(residual && { residual: operand(residual) }) },
    writes: { y: operand(y), ...(derivative && { derivative: operand(derivative) }) },
  };
}

/** The same, value by value. */
export function inScalars({ key, reads, writes }: Epilogue): Epilogue {
  const single = (operands: Readonly<Record<string, Operand>>): Record<string, Operand> =>
    Object.fromEntries(Object.entries(operands).map(([name, operand]) => [name, { ...operand, lanes: 1 }]));
  return { key, reads: single(reads), writes: single(writes) };
}

/** The sums themselves, in a new tensor. */
export function plainResult(
  backend: VitBackend,
  shape: readonly number[],
  columns: number,
): { y: tf.TensorInfo; after: Epilogue } {
  const y = backend.output(shape);
  return { y, after: makeEpilogue(backend, { y }, columns) };
}

/**
 * WGSL: `storeFour(row, column, value, offset)` and `storeOne` of the same; they pass over what lies outside. `offset`
 * is where this part of the result begins, in values.
 */
export function epilogue({ reads, writes }: Epilogue, { rows, columns }: { rows: number; columns: number }): string {
  const fours = writes.y!.lanes === 4;
  const type = computedType(writes.y!);
  const lines = [
    reads.bias ? `value += bias[column${fours ? ' / 4u' : ''}];` : '',
    writes.derivative
      ? `let pair = gelu(value); value = pair.value; derivative[at] = ${typeOf(writes.derivative)}(pair.derivative);`
      : '',
    reads.residual ? 'value += residual[at];' : '',
  ];
  const store = `
    fn store${fours ? 'Four' : 'One'}(row: u32, column: u32, sum: ${type}, offset: u32) {
      if (row >= ${rows}u || column >= ${columns}u) { return; }
      let at = (offset + row * ${columns}u + column)${fours ? ' / 4u' : ''};
      var value = sum;
      ${lines.join('\n')}
      y[at] = ${typeOf(writes.y!)}(value);
    }`;
  const other = fours
    ? ''
    : `fn storeFour(row: u32, column: u32, sum: vec4<f32>, offset: u32) {
        ${[0, 1, 2, 3].map((j) => `storeOne(row, column + ${j}u, sum[${j}], offset);`).join('\n')}
      }`;
  return [writes.derivative ? GELU(type) : '', store, other].join('\n');
}
