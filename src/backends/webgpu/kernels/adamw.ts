/** VitAdamW: src/ops/adamw.ts says what it is. In place, one pass for as many parameters as a shader may see at once. */
import type { TensorInfo } from '@tensorflow/tfjs';
import { sizeOf } from '../../kernels.js';
import type { VitBackend } from '../backend.js';
import { lanesFor, linearGroup, linearGroups, typeOf, type Operand } from '../pass.js';
import { defineKernel } from './kernel.js';
import type { AdamWStep } from '../../../ops/adamw.js';

interface AdamWAttributes extends AdamWStep {
  rateScales: number[];
  weightDecays: number[];
}

interface Slot {
  value: TensorInfo;
  /** The value in float16, where somebody keeps it. */
  half: TensorInfo | undefined;
  first: TensorInfo;
  second: TensorInfo;
  gradient: TensorInfo;
  uniforms: readonly number[];
}

const THREADS = 256;
const buffersOf = ({ half }: Slot): number => (half ? 5 : 4);
const UNIFORMS_OF_SLOT = 2; // vectors of four

export const adamW = defineKernel<AdamWAttributes>('VitAdamW', (backend, inputs, attributes) => {
  const { beta1, beta2, epsilon, rateScales, weightDecays } = attributes;
  const slots = rateScales.map((rateScale, slot): Slot => {
    const [value, first, second, gradient] = [0, 1, 2, 3].map((part) => inputs[String(4 * slot + part)]!);
    // 1 − β is not left to float32, which would be wrong by 1e-5 for β = 0.999.
    const uniforms = [...[beta1, 1 - beta1, beta2, 1 - beta2], ...[rateScale, weightDecays[slot]!, epsilon, 0]];
    const { half } = backend.notes.roundedOf(value!) ?? {};
    return { value: value!, half, first: first!, second: second!, gradient: gradient!, uniforms };
  });
  const rates = inputs.rates!;
  for (const some of together(slots, backend.device.limits.maxStorageBuffersPerShaderStage - 1)) {
    update(backend, some, rates);
  }
  // A step ends here. Were the next one's passes handed over together with its last, buffers would come back at other times
  // in every step, and be other buffers.
  backend.submit();
  return [];
});

/** As many slots in a row as have no more buffers than that. */
function together(slots: readonly Slot[], most: number): Slot[][] {
  const all: Slot[][] = [];
  let free = 0;
  for (const slot of slots) {
    if (buffersOf(slot) > free) {
      all.push([]);
      free = most;
    }
    all.at(-1)!.push(slot);
    free -= buffersOf(slot);
  }
  return all;
}

function update(backend: VitBackend, slots: readonly Slot[], rates: TensorInfo): void {
  const sizes = slots.map(({ value }) => sizeOf(value.shape));
  const operands = (part: 'value' | 'first' | 'second' | 'gradient'): [string, Operand][] =>
    slots.map((slot, i) => [`${part}${i}`, lanesFor(slot[part], sizes[i]!)]);
  const values = operands('value');
  const halves = slots.map(({ half }, i) => half && backend.asStored(half, sizes[i]!));
  const counts = values.map(([, { lanes }], i) => sizes[i]! / lanes);
  const groups = counts.map((count) => Math.ceil(count / THREADS));
  const total = groups.reduce((a, b) => a + b, 0);
  const rounding = (half: Operand | undefined, slot: number): string =>
    half ? `half${slot}[i] = ${typeOf(half)}(value${slot}[i]);` : '';
  const ends = groups.map((_, i) => groups.slice(0, i + 1).reduce((a, b) => a + b, 0));
  backend.run({
    name: 'adamW',
    sizes: { sizes, halves: halves.map(Boolean) },
    reads: Object.fromEntries([...operands('gradient'), ['rates', lanesFor(rates, 4)]]),
    writes: Object.fromEntries([
      ...values,
      ...operands('first'),
      ...operands('second'),
      ...halves.flatMap((half, i) => (half ? [[`half${i}`, half] as const] : [])),
    ]),
    uniforms: slots.flatMap(({ uniforms }) => uniforms),
    threads: THREADS,
    groups: linearGroups(total),
    code: () => ({
      body: `
        let number = ${linearGroup(total)};
        ${slots.map((_, i) => `if (number < ${ends[i]}u) { ${one(i, counts[i]!, ends[i]! - groups[i]!)} ${rounding(halves[i], i)} return; }`).join('\n')}`,
    }),
  });
}

/** WGSL: the update of one value, or four, of a slot whose workgroups begin at `start`. */
function one(slot: number, count: number, start: number): string {
  const uniform = (vector: number, component: string): string =>
    `uniforms[${UNIFORMS_OF_SLOT * slot + vector}].${component}`;
  const [value, first, second] = ['value', 'first', 'second'].map((name) => `${name}${slot}[i]`);
  return `
    let i = (number - ${start}u) * ${THREADS}u + thread;
    if (i >= ${count}u) { return; }
    let rate = rates[0].x * ${uniform(1, 'x')};
    let g = gradient${slot}[i] * rates[0].w;
    let m = ${uniform(0, 'x')} * ${first} + ${uniform(0, 'y')} * g;
    let v = ${uniform(0, 'z')} * ${second} + ${uniform(0, 'w')} * g * g;
    ${first} = m;
    ${second} = v;
    ${value} = ${value} * (1.0 - rate * ${uniform(1, 'y')}) - rate * rates[0].y * m / (sqrt(v) * rates[0].z + ${uniform(1, 'z')});`;
}
