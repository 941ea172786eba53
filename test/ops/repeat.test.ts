/** When a function is called, recorded and replayed, on a device that only logs its calls. */
import * as tf from '@tensorflow/tfjs';
import { Repeated } from '../../src/ops/repeat.js';

/** The calls in order: `call` is the function, all others are calls of the device. */
let log: string[] = [];
let inPlace = true;
let refuses = false;
let mayRecord = true;

const device = {
  mayRecord: () => mayRecord,
  record: (_inputs: readonly tf.TensorInfo[], f: () => void) => {
    log.push('record');
    f();
    if (refuses) return undefined;
    return {
      replay: () => {
        log.push(inPlace ? 'replay' : 'moved');
        return inPlace;
      },
      dispose: () => log.push('dispose'),
    };
  },
};

beforeAll(async () => {
  await tf.setBackend('cpu');
  Object.assign(tf.backend(), device);
});
afterAll(() => {
  Object.assign(tf.backend(), { mayRecord: undefined, record: undefined });
});
beforeEach(() => {
  [log, inPlace, refuses, mayRecord] = [[], true, false, true];
});

/** The log of a run with the given inputs. */
function runs(repeated: Repeated, inputs: tf.Tensor[], times = 1): string[] {
  log = [];
  for (let i = 0; i < times; i++) repeated.run(inputs, () => log.push('call'));
  return log;
}

const [two, three] = [tf.zeros([2]), tf.zeros([3])];
const RECORDED = ['call', 'call', 'record', 'call'];

it('should be called twice, recorded in the third call and replayed from then on', () => {
  const repeated = new Repeated();
  expect(runs(repeated, [two], 2)).toEqual(['call', 'call']);
  expect(repeated.repeats).toBe(false);
  expect(runs(repeated, [two])).toEqual(['record', 'call']);
  expect(repeated.repeats).toBe(true);
  expect(runs(repeated, [two], 2)).toEqual(['replay', 'replay']);
});

it('should start again if a shape or a type changes', () => {
  const repeated = new Repeated();
  runs(repeated, [two], 3);
  expect(runs(repeated, [three], 3)).toEqual(['dispose', ...RECORDED]);
  expect(runs(repeated, [tf.zeros([3], 'int32')])).toEqual(['dispose', 'call']);
  expect(repeated.repeats).toBe(false);
});

it('should start again if a tensor has moved to another buffer', () => {
  const repeated = new Repeated();
  runs(repeated, [two], 3);
  inPlace = false;
  expect(runs(repeated, [two])).toEqual(['moved', 'dispose', 'call']);
  inPlace = true;
  expect(runs(repeated, [two], 3)).toEqual(['call', 'record', 'call', 'replay']);
});

it('should not be recorded again after three consecutive refusals', () => {
  const repeated = new Repeated();
  refuses = true;
  expect(runs(repeated, [two], 6)).toEqual([
    'call',
    'call',
    'record',
    'call',
    'record',
    'call',
    'record',
    'call',
    'call',
  ]);
});

it('should be recorded despite refusals that are not consecutive', () => {
  const repeated = new Repeated();
  runs(repeated, [two], 2);
  refuses = true;
  runs(repeated, [two], 2);
  refuses = false;
  runs(repeated, [two]);
  runs(repeated, [three], 2); // another shape
  refuses = true;
  expect(runs(repeated, [three], 4)).toEqual(['record', 'call', 'record', 'call', 'record', 'call', 'call']);
});

it('should warm up again after it is disposed of', () => {
  const repeated = new Repeated();
  runs(repeated, [two], 3);
  repeated.dispose();
  expect(runs(repeated, [two], 3)).toEqual(RECORDED);
});

it('should be called each time if the device may not or cannot record', () => {
  const repeated = new Repeated();
  runs(repeated, [two], 3);
  mayRecord = false;
  expect(runs(repeated, [two], 4)).toEqual(['dispose', 'call', 'call', 'call', 'call']);
  Object.assign(tf.backend(), { mayRecord: undefined });
  expect(runs(new Repeated(), [two], 4)).toEqual(['call', 'call', 'call', 'call']);
  Object.assign(tf.backend(), device);
});
