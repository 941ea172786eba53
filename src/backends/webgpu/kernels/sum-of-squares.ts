/**
 * VitSumOfSquares: src/ops/sum-of-squares.ts describes it. One pass for as many tensors as a shader may access at once;
 * each of its workgroups writes the sum of a part. Then one pass over the parts. The stock sum would read each tensor
 * with a single workgroup.
 */
import { SUM_OF_SQUARES_KERNEL } from '../../../ops/sum-of-squares.js';
import { sizeOf } from '../../kernels.js';
import { definePass, lanesFor, linearGroup, linearGroups, scalars } from '../pass.js';
import { reduction } from '../passes/reduction.js';
import { defineKernel } from './kernel.js';

const THREADS = 256;
/** Elements, of one lane or four, for each invocation. */
const ELEMENTS = 16;

const SUM_OF_GROUP = reduction('sumOfGroup', 'f32', THREADS, (a, b) => `${a} + ${b}`);

/** Number of workgroups for this many elements. */
const groupsFor = (elements: number): number => Math.ceil(elements / (THREADS * ELEMENTS));

export const sumOfSquares = defineKernel(SUM_OF_SQUARES_KERNEL, (backend, inputs) => {
  const shares = Object.values(inputs).map((tensor) => {
    const size = sizeOf(tensor.shape);
    const operand = lanesFor(tensor, size);
    return { size, operand, groups: groupsFor(size / operand.lanes) };
  });
  const total = shares.reduce((sum, { groups }) => sum + groups, 0);
  const parts = backend.output([total]);
  // One of the buffers that a shader may access contains the parts.
  const most = backend.device.limits.maxStorageBuffersPerShaderStage - 1;
  let first = 0;
  for (let begin = 0; begin < shares.length; begin += most) {
    const some = shares.slice(begin, begin + most);
    const reads = Object.fromEntries(some.map(({ operand }, i) => [`x${i}`, operand]));
    backend.run(sumOfSquaresPass({ sizes: some.map(({ size }) => size), first }, reads, { parts: scalars(parts) }));
    first += some.reduce((sum, { groups }) => sum + groups, 0);
  }
  const sum = backend.output([]);
  backend.run(sumOfPartsPass({ count: total }, { parts: scalars(parts) }, { total: scalars(sum) }));
  backend.release(parts);
  return sum;
});

/** Values of each tensor; the sum of each workgroup is written to `parts`, from the index `first` on. */
const sumOfSquaresPass = definePass<{ sizes: readonly number[]; first: number }, `x${number}`, 'parts'>(
  'sumOfSquares',
  ({ sizes, first }, types) => {
    let end = 0;
    const branches = sizes.map((size, i) => {
      const { lanes } = types[`x${i}`]!;
      const start = end;
      end += groupsFor(size / lanes);
      const square = lanes === 4 ? 'dot(value, value)' : 'value * value';
      return `if (number < ${end}u) {
        let begin = (number - ${start}u) * ${THREADS * ELEMENTS}u + thread;
        let end = min(begin + ${THREADS * ELEMENTS}u - thread, ${size / lanes}u);
        for (var i = begin; i < end; i += ${THREADS}u) { let value = x${i}[i]; sum += ${square}; }
      }`;
    });
    const body = `
      let number = ${linearGroup(end)};
      var sum = 0.0;
      ${branches.join(' else ')}
      let whole = sumOfGroup(thread, sum);
      if (thread == 0u && number < ${end}u) { parts[${first}u + number] = whole; }`;
    return { threads: THREADS, groups: linearGroups(end), declarations: SUM_OF_GROUP, body };
  },
);

const sumOfPartsPass = definePass<{ count: number }, 'parts', 'total'>('sumOfParts', ({ count }) => {
  const body = `
    var sum = 0.0;
    for (var i = thread; i < ${count}u; i += ${THREADS}u) { sum += parts[i]; }
    let whole = sumOfGroup(thread, sum);
    if (thread == 0u) { total[0] = whole; }`;
  return { threads: THREADS, groups: [1, 1, 1], declarations: SUM_OF_GROUP, body };
});
