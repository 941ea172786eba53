/** AdamW, clipping, the schedule and the parameter groups against PyTorch. optimizer.py writes the fixture. */
import * as tf from '@tensorflow/tfjs';
import type { Device } from '../../src/backends/device.js';
import { openDevice } from '../../src/backends/open.js';
import { toVariable } from '../../src/model/parameters.js';
import { adamW, type AdamWSlot } from '../../src/ops/index.js';
import { clipByGlobalNorm } from '../../src/training/gradients.js';
import { learningRateAt, type LearningRateSchedule } from '../../src/training/schedule.js';
import { relativeError } from '../support/arrays.js';
import { availableDevices } from '../support/devices.js';
import { readFixture, unpack, type PackedTensor } from './fixture.js';

interface State {
  values: PackedTensor[];
  first: PackedTensor[];
  second: PackedTensor[];
}

interface AdamWFixture {
  name: string;
  beta1: number;
  beta2: number;
  epsilon: number;
  clip: number | null;
  slots: { weightDecay: number; rateScale: number }[];
  initial: PackedTensor[];
  /** Of each step. */
  rates: number[];
  /** Of each step, for each slot. */
  gradients: PackedTensor[][];
  /** By the number of completed steps. */
  after: Record<string, State>;
}

interface ScheduleFixture {
  name: string;
  schedule: LearningRateSchedule;
  stepsPerEpoch: number;
  /** Step and rate. */
  rates: [number, number][];
}

const fixture = readFixture('optimizer') as { adamw: AdamWFixture[]; schedules: ScheduleFixture[] };
const devices = await availableDevices();

const TOLERANCE = 1e-5;

describe.each(devices)('AdamW on %s', (deviceName) => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice(deviceName);
  });
  afterAll(() => {
    device.close();
  });

  it.each(fixture.adamw)('updates parameters and moments like PyTorch: $name', async (expected) => {
    const initial = expected.initial.map(unpack);
    const slots = newSlots(expected);
    for (const [step, packed] of expected.gradients.entries()) {
      tf.tidy(() => {
        const gradients = packed.map((gradient) => tf.tensor(unpack(gradient), gradient.shape));
        adamW(slots, expected.clip === null ? gradients : clipByGlobalNorm(gradients, expected.clip), {
          ...expected,
          learningRate: expected.rates[step]!,
          step: step + 1,
          gradientScale: 1,
        });
      });
      const state = expected.after[step + 1];
      if (!state) continue;
      const errors: Record<string, number> = {};
      for (const [i, slot] of slots.entries()) {
        // Changes instead of values: relative to a value, the error of a small change is invisible.
        const [value, first, second] = await Promise.all([slot.value.data(), slot.first.data(), slot.second.data()]);
        const before = initial[i]!;
        const change = (values: ArrayLike<number>): number[] => Array.from(values, (v, at) => v - before[at]!);
        errors[`value ${i}`] = relativeError(change(value), change(unpack(state.values[i]!)));
        errors[`first ${i}`] = relativeError(first, unpack(state.first[i]!));
        errors[`second ${i}`] = relativeError(second, unpack(state.second[i]!));
      }
      expect(Object.entries(errors).filter(([, error]) => !(error < TOLERANCE))).toEqual([]);
    }
    for (const { value, first, second } of slots) tf.dispose([value, first, second]);
  });

  it('multiplies the gradients by their scale first', async () => {
    const [expected] = fixture.adamw;
    const { rates, gradients } = expected!;
    const after = async (factor: number, gradientScale: number): Promise<number[]> => {
      const slots = newSlots(expected!);
      tf.tidy(() => {
        const scaled = gradients[0]!.map((gradient) => tf.mul(tf.tensor(unpack(gradient), gradient.shape), factor));
        adamW(slots, scaled, { ...expected!, learningRate: rates[0]!, step: 1, gradientScale });
      });
      const tensors = slots.flatMap(({ value, first, second }) => [value, first, second]);
      const values = await Promise.all(tensors.map((tensor) => tensor.data()));
      tf.dispose(tensors);
      return values.flatMap((part) => [...part]);
    };
    // A power of two, so that the rounding is the same.
    expect(await after(8, 0.125)).toEqual(await after(1, 1));
  });

  it('leaks no tensor', () => {
    const [expected] = fixture.adamw;
    const slots = newSlots(expected!);
    const gradients = slots.map(({ value }) => tf.onesLike(value));
    const step = (number: number): void => {
      adamW(slots, gradients, { ...expected!, learningRate: 0.1, step: number, gradientScale: 0.5 });
    };
    step(1);
    const before = tf.memory().numTensors;
    step(2);
    step(3);
    expect(tf.memory().numTensors).toBe(before);
    tf.dispose(gradients);
    for (const { value, first, second } of slots) tf.dispose([value, first, second]);
  });
});

function newSlots({ initial, slots }: AdamWFixture): AdamWSlot[] {
  return initial.map((packed, i) => {
    const zeros = { shape: packed.shape, data: new Float32Array(unpack(packed).length) };
    return {
      value: toVariable({ shape: packed.shape, data: unpack(packed) }, true),
      first: toVariable(zeros, false),
      second: toVariable(zeros, false),
      ...slots[i]!,
    };
  });
}

describe('the learning rate', () => {
  it.each(fixture.schedules)('follows the table of $name', ({ schedule, stepsPerEpoch, rates }) => {
    const peak = (schedule.baseLearningRate * schedule.batchSize) / 256;
    for (const [step, rate] of rates) {
      expect(Math.abs(learningRateAt(schedule, step, stepsPerEpoch) - rate)).toBeLessThanOrEqual(1e-12 * peak);
    }
  });

  it('reaches the peaks of the recipes', () => {
    const peaks = fixture.schedules.map(({ name, schedule, stepsPerEpoch }) => {
      return [name, learningRateAt(schedule, schedule.warmupEpochs * stepsPerEpoch, stepsPerEpoch).toPrecision(6)];
    });
    expect(peaks).toEqual([
      ["the paper's pre-training", '0.00120000'],
      ["MAE's pre-training", '0.00240000'],
      ['fine-tuning', '0.00400000'],
      ['no warm-up and few steps', '0.000375000'],
    ]);
  });
});
