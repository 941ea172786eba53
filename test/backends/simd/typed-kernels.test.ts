/** Kernels and tasks take records: calls with missing or swapped arguments do not compile. `tsc` checks these tests. */
import { offset, type Address } from '../../../src/backends/simd/address.js';
import type { SimdBackend } from '../../../src/backends/simd/backend.js';
import { typedKernels, type Kernels } from '../../../src/backends/simd/exports.js';
import { address, flag, four, number, oneOf } from '../../../src/backends/simd/records.js';
import { defineTask } from '../../../src/backends/simd/tasks/task.js';
import type { Thread } from '../../../src/backends/simd/thread.js';

/** Only compiled, never called. */
export function rejected(kernels: Kernels, backend: SimdBackend, x: Address, out: Address, count: number): void {
  kernels.negate({ x, out, count });
  // @ts-expect-error: an argument is missing
  kernels.negate({ x, out });
  // @ts-expect-error: an address and a size are swapped
  kernels.negate({ x, out: count, count: out });
  // @ts-expect-error: address arithmetic needs offset(), which counts in floats
  kernels.negate({ x: x + 4, out, count });

  backend.run('fill', 1, { out, total: count, value: 0, size: count });
  // @ts-expect-error: an argument is missing
  backend.run('fill', 1, { out, total: count, size: count });
  // @ts-expect-error: an address and a size are swapped
  backend.run('fill', 1, { out: count, total: out, value: 0, size: count });
}

it('another thread reads the arguments of a task as they were written', () => {
  const received: object[] = [];
  const fields = {
    x: address,
    sizes: four,
    transposed: flag,
    kept: flag,
    operation: oneOf(['add', 'scale']),
    by: number,
  };
  const task = defineTask(fields, (_thread, chunk, values) => received.push({ chunk, ...values }));
  const values = { x: offset(64 as Address, 3), sizes: [5, 6, 7, 8], transposed: true, kept: false } as const;
  const words = new Float64Array(task.words + 2);
  task.write(words, { by: 0.5, operation: 'scale', ...values });
  task.runWritten({} as Thread, 9, words);
  expect(received).toEqual([{ chunk: 9, ...values, x: 76, by: 0.5, operation: 'scale' }]);
  expect(task.words).toBe(9);
});

it('a module of another build is rejected, with the names of the kernels that differ', () => {
  expect(() => typedKernels({ fill: () => undefined })).toThrow(
    /another build \(.*\bfill\b.*\bsum\b.*\): run `npm run build`/,
  );
});
