/** The parts of a training that a checkpoint contains, and that can be read from it. */
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { stream } from '../../src/common/random.js';
import { CorruptFileError, readSafetensors, writeSafetensors } from '../../src/store/safetensors.js';
import { disposeState, freshState, loadState, readWeights, saveState } from '../../src/training/state.js';
import { temporaryFolder } from '../support/cli.js';

const OPTIONS = { depth: 1, layerDecay: 1, weightDecay: 0.05 };
const WEIGHTS = new Map([
  ['blocks.0.attn.qkv.weight', { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }],
  ['pos_embed', { shape: [1, 2], data: Float32Array.of(0.5, -0.5) }],
]);

const PLAN = {
  stage: 'stage',
  parent: 'digest',
  shapes: new Map([...WEIGHTS].map(([name, { shape }]) => [name, shape])),
  epochs: 2,
  stepsPerEpoch: 5,
};

const folder = temporaryFolder();
const paths = { checkpoint: join(folder.path, 'checkpoint'), previousCheckpoint: join(folder.path, 'previous') };
beforeAll(async () => {
  await tf.setBackend('cpu');
  const state = freshState(WEIGHTS, OPTIONS);
  state.step = 7;
  state.losses = [0.75];
  state.firstLoss = 0.1 + 0.2;
  state.lossSum.assign(tf.scalar(2.5));
  state.largestGradientNorm.assign(tf.scalar(12.25));
  await saveState(paths, PLAN, state);
  disposeState(state);
});
afterAll(() => {
  folder.remove();
});

it('starts with no loss and a gradient norm of 0', () => {
  const state = freshState(WEIGHTS, OPTIONS);
  expect(state.firstLoss).toBeNull();
  expect(state.largestGradientNorm.dataSync()[0]).toBe(0);
  disposeState(state);
});

it('restores the stored progress', () => {
  const state = loadState(paths.checkpoint, PLAN, OPTIONS);
  expect(state).toMatchObject({ step: 7, losses: [0.75], firstLoss: 0.1 + 0.2 });
  expect(state.lossSum.dataSync()[0]).toBe(2.5);
  expect(state.largestGradientNorm.dataSync()[0]).toBe(12.25);
  disposeState(state);
});

it('stores weights under their own names, and all else in named groups', () => {
  expect([...readSafetensors(paths.checkpoint).tensors.keys()].sort()).toEqual([
    'blocks.0.attn.qkv.weight',
    'optimizer.first.blocks.0.attn.qkv.weight',
    'optimizer.second.blocks.0.attn.qkv.weight',
    'pos_embed',
    'progress.largest_gradient_norm',
    'progress.loss_sum',
  ]);
  const { weights, sha256 } = readWeights(paths.checkpoint, PLAN);
  expect(weights).toEqual(WEIGHTS);
  expect(sha256).toBe(readSafetensors(paths.checkpoint).sha256);
});

it('reports a checkpoint of another stage', () => {
  const other = { ...PLAN, stage: 'other' };
  for (const read of [() => loadState(paths.checkpoint, other, OPTIONS), () => readWeights(paths.checkpoint, other)]) {
    expect(read).toThrow(CorruptFileError);
    expect(read).toThrow('belongs to stage stage, not to other');
  }
});

it('reports a checkpoint that started from other weights than those of its pre-training now', () => {
  for (const parent of ['another', null]) {
    const read = () => loadState(paths.checkpoint, { ...PLAN, parent }, OPTIONS);
    expect(read).toThrow(CorruptFileError);
    expect(read).toThrow('began with other weights (digest)');
  }
});

/** Writes the checkpoint again after a change, with a correct digest. */
async function rewrite(change: (file: Content) => void): Promise<string> {
  const { tensors, metadata } = readSafetensors(paths.checkpoint);
  const content: Content = { tensors: new Map(tensors), metadata };
  change(content);
  const path = join(folder.path, 'changed');
  const sources = [...content.tensors].map(([name, { shape, data }]) => [name, { shape, read: () => data }] as const);
  await writeSafetensors(path, new Map(sources), content.metadata);
  return path;
}

interface Content {
  tensors: Map<string, { shape: number[]; data: Float32Array }>;
  metadata: Record<string, string>;
}

const some = { shape: [2], data: Float32Array.of(1, 2) };
it.each<[string, string, (file: Content) => void]>([
  ['a weight that the model has not', 'the model has no head.bias', ({ tensors }) => tensors.set('head.bias', some)],
  ['a weight too few', 'it has no pos_embed', ({ tensors }) => tensors.delete('pos_embed')],
  [
    'moments too few',
    'it has no optimizer',
    ({ tensors }) => tensors.delete('optimizer.first.blocks.0.attn.qkv.weight'),
  ],
  ['moments of fixed parameters', 'the model has no', ({ tensors }) => tensors.set('optimizer.first.pos_embed', some)],
  [
    'another shape of the same size',
    'pos_embed has the shape [2], not [1,2]',
    ({ tensors }) => tensors.set('pos_embed', some),
  ],
  ['a step beyond the end', 'its step is 11, not one from 0 to 10', ({ metadata }) => (metadata.step = '11')],
  ['a step below 0', 'its step is -1', ({ metadata }) => (metadata.step = '-1')],
  ['half a step', 'its step is 7.5', ({ metadata }) => (metadata.step = '7.5')],
  ['no step', 'its step is missing', ({ metadata }) => delete metadata.step],
  ['a step of the epoch before', 'one number for each finished epoch', ({ metadata }) => (metadata.step = '4')],
  ['losses too many', 'one number for each finished epoch', ({ metadata }) => (metadata.losses = '[1,2]')],
  ['a loss that is null', 'one number for each finished epoch', ({ metadata }) => (metadata.losses = '[null]')],
  ['an infinite loss', 'one number for each finished epoch', ({ metadata }) => (metadata.losses = '[1e999]')],
  ['losses that are no JSON', 'one number for each finished epoch', ({ metadata }) => (metadata.losses = '[')],
  ['no losses', 'one number for each finished epoch', ({ metadata }) => delete metadata.losses],
  ['no first loss', 'its first loss is not a number', ({ metadata }) => delete metadata.first_loss],
])('rejects a checkpoint with %s, although its digest is correct', async (_, message, change) => {
  const path = await rewrite(change);
  const before = tf.memory().numTensors;
  expect(() => loadState(path, PLAN, OPTIONS)).toThrow(CorruptFileError);
  expect(() => loadState(path, PLAN, OPTIONS)).toThrow(message);
  expect(tf.memory().numTensors).toBe(before);
});

it('accepts a checkpoint of the last step', async () => {
  const path = await rewrite(({ metadata }) => Object.assign(metadata, { step: '10', losses: '[0.75,0.5]' }));
  const state = loadState(path, PLAN, OPTIONS);
  expect(state).toMatchObject({ step: 10, losses: [0.75, 0.5] });
  disposeState(state);
});

it('accepts a checkpoint that is written again without a change', async () => {
  disposeState(loadState(await rewrite(() => undefined), PLAN, OPTIONS));
});

it('reports damage for each of 3,000 flipped bits, and leaks no tensor', () => {
  const bytes = readFileSync(paths.checkpoint);
  const path = join(folder.path, 'flipped');
  writeFileSync(path, bytes);
  const file = openSync(path, 'r+');
  const random = stream(0, 'flips');
  const before = tf.memory().numTensors;
  const missed: number[] = [];
  for (let i = 0; i < 3000; i++) {
    const bit = random.integer(8 * bytes.length);
    writeSync(file, Uint8Array.of(bytes[bit >> 3]! ^ (1 << (bit & 7))), 0, 1, bit >> 3);
    // Both readers verify with the same code; this one also uploads, which is slow.
    if (i % 10 === 0 && !isDamaged(() => loadState(path, PLAN, OPTIONS))) missed.push(bit);
    if (!isDamaged(() => readWeights(path, PLAN))) missed.push(bit);
    writeSync(file, bytes, bit >> 3, 1, bit >> 3);
  }
  closeSync(file);
  expect(missed).toEqual([]);
  expect(tf.memory().numTensors).toBe(before);
});

/** Whether reading reports damage. `expect` for each of thousands takes longer than the readings. */
function isDamaged(read: () => unknown): boolean {
  try {
    read();
    return false;
  } catch (error) {
    return error instanceof CorruptFileError;
  }
}
