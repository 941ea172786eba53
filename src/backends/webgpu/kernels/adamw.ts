/** VitAdamW: src/ops/adamw.ts describes it. In place, one pass for as many parameters as a shader may access at once. */
import type { TensorInfo } from '@tensorflow/tfjs';
import { sizeOf } from '../../kernels.js';
import type { VitBackend } from '../backend.js';
import { definePass, lanesFor, linearGroup, linearGroups, typeOf, type Operand } from '../pass.js';
import { defineKernel } from './kernel.js';
import type { AdamWStep } from '../../../ops/adamw.js';

interface AdamWAttributes extends AdamWStep {
  rateScales: number[];
  weightDecays: number[];
}

interface Slot {
  value: TensorInfo;
  /** The value in float16, if the notes have it. */
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
    // 1 − β is computed here: in float32 it would be wrong by 1e-5 for β = 0.999.
    const uniforms = [...[beta1, 1 - beta1, beta2, 1 - beta2], ...[rateScale, weightDecays[slot]!, epsilon, 0]];
    const { half } = backend.notes.roundedOf(value!) ?? {};
    return { value: value!, half, first: first!, second: second!, gradient: gradient!, uniforms };
  });
  const rates = inputs.rates!;
  for (const some of together(slots, backend.device.limits.maxStorageBuffersPerShaderStage - 1)) {
    update(backend, some, rates);
  }
  // A step ends here. If the last passes of a step were submitted with the first ones of the next, the times at which
  // buffers are freed would differ between steps, and each step would use other buffers.
  backend.submit();
  return [];
});

/** Groups consecutive slots, with at most `most` buffers in each group. */
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
  const operands = (part: 'value' | 'first' | 'second' | 'gradient'): Record<string, Operand> =>
    Object.fromEntries(slots.map((slot, i) => [`${part}${i}`, lanesFor(slot[part], sizes[i]!)]));
  const halves = slots.flatMap(({ half }, i) =>
    half ? [[`half${i}`, backend.asStored(half, sizes[i]!)] as const] : [],
  );
  backend.run(
    adamWPass(
      { sizes },
      { ...operands('gradient'), rates: lanesFor(rates, 4) },
      { ...operands('value'), ...operands('first'), ...operands('second'), ...Object.fromEntries(halves) },
      slots.flatMap(({ uniforms }) => uniforms),
    ),
  );
}

const adamWPass = definePass<
  { sizes: readonly number[] },
  `gradient${number}` | 'rates',
  `value${number}` | `first${number}` | `second${number}` | `half${number}`
>('adamW', ({ sizes }, types) => {
  const counts = sizes.map((size, slot) => size / types[`value${slot}`]!.lanes);
  let end = 0;
  const branches = counts.map((count, slot) => {
    const start = end;
    end += Math.ceil(count / THREADS);
    const half = types[`half${slot}`];
    const rounding = half ? `half${slot}[i] = ${typeOf(half)}(value${slot}[i]);` : '';
    return `if (number < ${end}u) { ${one(slot, count, start)} ${rounding} return; }`;
  });
  const body = `
    let number = ${linearGroup(end)};
    ${branches.join('\n')}`;
  return { threads: THREADS, groups: linearGroups(end), body };
});

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
