/**
 * VitSumOfSquares: src/ops/sum-of-squares.ts says what it is. One pass for as many tensors as a shader may see at once,
 * whose workgroups each leave the sum of a part; then one pass over the parts. The stock sum would go through each tensor
 * with a single workgroup.
 */
import type { TensorInfo } from '@tensorflow/tfjs';
import { SUM_OF_SQUARES_KERNEL } from '../../../ops/sum-of-squares.js';
import { sizeOf } from '../../kernels.js';
import type { VitBackend } from '../backend.js';
import { lanesFor, linearGroup, linearGroups, scalars, type Operand } from '../pass.js';
import { reduction } from '../passes/reduction.js';
import { defineKernel } from './kernel.js';

const THREADS = 256;
/** Elements, of one lane or four, that an invocation goes through. */
const ELEMENTS = 16;

const SUM_OF_GROUP = reduction('sumOfGroup', 'f32', THREADS, (a, b) => `${a} + ${b}`);

/** A tensor and the workgroups that go through it. */
interface Share {
  operand: Operand;
  /** Elements, of so many lanes. */
  count: number;
  groups: number;
}

export const sumOfSquares = defineKernel(SUM_OF_SQUARES_KERNEL, (backend, inputs) => {
  const shares = Object.values(inputs).map((tensor): Share => {
    const operand = lanesFor(tensor, sizeOf(tensor.shape));
    const count = sizeOf(tensor.shape) / operand.lanes;
    return { operand, count, groups: Math.ceil(count / (THREADS * ELEMENTS)) };
  });
  const total = shares.reduce((sum, { groups }) => sum + groups, 0);
  const parts = backend.output([total]);
  // One buffer is that of the parts.
  const most = backend.device.limits.maxStorageBuffersPerShaderStage - 1;
  let first = 0;
  for (let begin = 0; begin < shares.length; begin += most) {
    const some = shares.slice(begin, begin + most);
    sumParts(backend, some, parts, first);
    first += some.reduce((sum, { groups }) => sum + groups, 0);
  }
  const sum = sumAll(backend, parts, total);
  backend.release(parts);
  return sum;
});

/** Leaves the sum of each workgroup in `parts`, from the place `first` on. */
function sumParts(backend: VitBackend, shares: readonly Share[], parts: TensorInfo, first: number): void {
  const total = shares.reduce((sum, { groups }) => sum + groups, 0);
  let end = 0;
  const branches = shares.map(({ operand, count, groups }, i) => {
    const start = end;
    end += groups;
    const square = operand.lanes === 4 ? 'dot(value, value)' : 'value * value';
    return `if (number < ${end}u) {
      let begin = (number - ${start}u) * ${THREADS * ELEMENTS}u + thread;
      let end = min(begin + ${THREADS * ELEMENTS}u - thread, ${count}u);
      for (var i = begin; i < end; i += ${THREADS}u) { let value = x${i}[i]; sum += ${square}; }
    }`;
  });
  backend.run({
    name: 'sumOfSquares',
    sizes: { counts: shares.map(({ count }) => count), first },
    reads: Object.fromEntries(shares.map(({ operand }, i) => [`x${i}`, operand])),
    writes: { parts: scalars(parts) },
    threads: THREADS,
    groups: linearGroups(total),
    code: () => ({
      declarations: SUM_OF_GROUP,
      body: `
        let number = ${linearGroup(total)};
        var sum = 0.0;
        ${branches.join(' else ')}
        let whole = sumOfGroup(thread, sum);
        if (thread == 0u && number < ${total}u) { parts[${first}u + number] = whole; }`,
    }),
  });
}

function sumAll(backend: VitBackend, parts: TensorInfo, count: number): TensorInfo {
  const sum = backend.output([]);
  backend.run({
    name: 'sumOfParts',
    sizes: { count },
    reads: { parts: scalars(parts) },
    writes: { total: scalars(sum) },
    threads: THREADS,
    groups: [1, 1, 1],
    code: () => ({
      declarations: SUM_OF_GROUP,
      body: `
        var sum = 0.0;
        for (var i = thread; i < ${count}u; i += ${THREADS}u) { sum += parts[i]; }
        let whole = sumOfGroup(thread, sum);
        if (thread == 0u) { total[0] = whole; }`,
    }),
  });
  return sum;
}
