/** The key of a pipeline contains all that the code of its pass depends on. `tsc` checks the tests of `rejected`. */
import type { TensorInfo } from '@tensorflow/tfjs';
import {
  definePass,
  keyOf,
  lanesFor,
  scalars,
  typeOf,
  wgsl,
  type BufferElements,
  type Operand,
} from '../../../src/backends/webgpu/pass.js';

type Bias = Readonly<Record<'bias', BufferElements>>;

const layout = { threads: 1, groups: [1, 1, 1] } as const;

/** Only compiled, never called. */
export function rejected(x: Operand, y: Operand): void {
  const pass = definePass<{ rows: number }, 'x' | 'bias?', 'y'>('pass', ({ rows }) => ({ ...layout, body: `${rows}` }));
  pass({ rows: 1 }, { x }, { y });
  // @ts-expect-error: a size is missing from the key
  pass({}, { x }, { y });
  // @ts-expect-error: a buffer is missing
  pass({ rows: 1 }, {}, { y });
  // @ts-expect-error: the code takes a size that is not in the key
  definePass<{ rows: number }, 'x', 'y'>('pass', ({ rows, columns }) => ({ ...layout, body: `${rows * columns}` }));
  // @ts-expect-error: the code takes the type of a buffer that the pass does not have
  definePass<{ rows: number }, 'x', 'y'>('pass', (_, { bias }: Bias) => ({ ...layout, body: typeOf(bias) }));
  const withCode = definePass<{ value: () => string }, 'x', 'y'>('pass', ({ value }) => ({ ...layout, body: value() }));
  // @ts-expect-error: code among the sizes would not be part of the key
  withCode({ value: () => '1.0' }, { x }, { y });
}

const tensor = (dtype: 'float32' | 'int32', shape = [4, 8]): TensorInfo => ({ dataId: {}, shape, dtype });
const x = lanesFor(tensor('float32'), 8);

const example = definePass<{ rows: number; tile: { columns: number } }, 'x' | 'bias?', 'y'>(
  'example',
  ({ rows, tile }, { x, bias }) => ({
    ...layout,
    body: `${rows} ${tile.columns} ${typeOf(x)} ${String(bias !== undefined)}`,
  }),
);
const sizes = { rows: 2, tile: { columns: 3 } };
const y = scalars(tensor('float32'));
const base = example(sizes, { x }, { y });

it.each([
  ['a size', example({ ...sizes, rows: 4 }, { x }, { y })],
  ['a size of a part', example({ ...sizes, tile: { columns: 4 } }, { x }, { y })],
  ['the lanes of a buffer', example(sizes, { x: lanesFor(x.tensor, 7) }, { y })],
  ['a buffer stored as float16', example(sizes, { x: { ...x, stored: 'half' } }, { y })],
  ['a buffer of integers', example(sizes, { x: lanesFor(tensor('int32'), 8) }, { y })],
  ['a buffer more', example(sizes, { x, bias: x }, { y })],
])('passes that differ in %s have different code and different keys', (_, other) => {
  expect(wgsl(other)).not.toBe(wgsl(base));
  expect(keyOf(other)).not.toBe(keyOf(base));
});

it('passes that differ only in their tensors share a pipeline', () => {
  const other = example(sizes, { x: lanesFor(tensor('float32', [7, 8]), 8), bias: undefined }, { y });
  expect(other.definition).toBe(base.definition);
  expect(keyOf(other)).toBe(keyOf(base));
});
