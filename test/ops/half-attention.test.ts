/**
 * Attention of qkv that is stored as float16, and its gradient, against float64. The values of qkv are exact in
 * float16, so only weights, gradients and results are rounded, each with a relative error of at most 2^-11.
 */
import * as tf from '@tensorflow/tfjs';
import type { Device } from '../../src/backends/device.js';
import { openDevice } from '../../src/backends/open.js';
import type { VitBackend } from '../../src/backends/webgpu/backend.js';
import { roundToHalf } from '../../src/backends/webgpu/passes/half.js';
import { forEachProduct, type MatrixUnits } from '../../src/backends/webgpu/passes/matrix-units.js';
import { normals, relativeError, type Values } from '../support/arrays.js';
import { availableDevices } from '../support/devices.js';
import * as reference from './reference.js';

const BOUND = 2 ** -11;

const onWebgpu = (await availableDevices()).includes('webgpu') ? describe : describe.skip;

/** Values of one of the three parts of qkv. */
const partOf = (qkv: Values, part: number, dim: number): number[] =>
  Array.from(qkv).filter((_, i) => Math.floor(i / dim) % 3 === part);

async function attend(
  qkv: Float64Array,
  dy: Float64Array,
  [batch, tokens, dim]: readonly [number, number, number],
  heads: number,
): Promise<{ y: Values; logSums: Values; dqkv: Values }> {
  const tensors = tf.tidy(() => {
    const half = roundToHalf(tf.backend() as unknown as VitBackend, tf.tensor3d([...qkv], [batch, tokens, 3 * dim]));
    const input0 = tf.engine().makeTensorFromTensorInfo(half);
    const run = (name: string, inputs: tf.NamedTensorMap): tf.Tensor[] =>
      [tf.engine().runKernel<tf.Tensor | tf.Tensor[]>(name, inputs, { heads })].flat();
    const [y, saved0, saved1] = run('VitAttention', { input0 }) as [tf.Tensor, tf.Tensor, tf.Tensor];
    const [dqkv] = run('VitAttentionGrad', { dy: tf.tensor3d([...dy], [batch, tokens, dim]), input0, saved0, saved1 });
    return { y, logSums: saved1, dqkv: dqkv! };
  });
  const [y, logSums, dqkv] = await Promise.all(
    [tensors.y, tensors.logSums, tensors.dqkv].map((tensor) => tensor.data() as Promise<Float32Array>),
  );
  tf.dispose(tensors);
  return { y: y!, logSums: logSums!, dqkv: dqkv! };
}

interface Case {
  batch: number;
  tokens: number;
  heads: number;
  size: number;
  /** The shift of all scores by a mean in all q and k, equal or opposite. */
  shift: number;
}

async function check({ batch, tokens, heads, size, shift }: Case): Promise<void> {
  const dim = heads * size;
  const name = `half attention/${batch}/${tokens}/${heads}/${size}`;
  const mean = Math.sqrt(Math.abs(shift) / Math.sqrt(size));
  const means = [mean, Math.sign(shift) * mean, 0];
  const qkv = normals(batch * tokens * 3 * dim, name).map(
    (value, i) => Math.round(64 * (value + means[Math.floor(i / dim) % 3]!)) / 64,
  );
  const dy = normals(batch * tokens * dim, `${name}/dy`, 1e-6);
  const actual = await attend(qkv, dy, [batch, tokens, dim], heads);
  const { dqkv, logSums } = reference.attentionGradient(qkv, dy, batch, tokens, heads);
  expect(relativeError(actual.y, reference.attention(qkv, batch, tokens, heads))).toBeLessThan(BOUND);
  expect(relativeError(actual.logSums, logSums)).toBeLessThan(1e-5);
  for (const part of [0, 1, 2]) {
    // The gradients of a query's scores sum to 0 except for rounding errors, which are multiplied by the mean of q or
    // k.
    const bound = part < 2 ? BOUND * (1 + 2 * mean) : BOUND;
    expect(relativeError(partOf(actual.dqkv, part, dim), partOf(dqkv, part, dim))).toBeLessThan(bound);
  }
}

onWebgpu.each([
  ['as the device is', 0],
  ['with matrix units emulated', 32],
  ['with those of subgroups of 16', 16],
  ['with those of subgroups of 64', 64],
])('on webgpu, %s', (_, lanes) => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice('webgpu');
    if (lanes === 0) return;
    const tile = { rows: 64, columns: 32, depth: 32, split: [2, 1] } as const;
    const matrixUnits: MatrixUnits = { lanes, emulated: true, tiles: forEachProduct(() => tile) };
    Object.assign(tf.backend(), { matrixUnits });
  });
  afterAll(() => {
    device.close();
  });

  const all: Case[] = [
    { batch: 1, tokens: 16, heads: 1, size: 16, shift: 0 },
    { batch: 2, tokens: 17, heads: 2, size: 16, shift: 0 },
    { batch: 1, tokens: 33, heads: 2, size: 48, shift: 0 },
    { batch: 1, tokens: 64, heads: 1, size: 32, shift: 0 },
    { batch: 1, tokens: 65, heads: 1, size: 64, shift: 0 },
    { batch: 1, tokens: 300, heads: 1, size: 16, shift: 0 },
    { batch: 2, tokens: 43, heads: 3, size: 16, shift: 200 },
    { batch: 1, tokens: 83, heads: 2, size: 16, shift: -200 },
  ];
  // For subgroups of other sizes, only the division of the work differs; and wide heads take long to compile.
  const some = lanes === 16 || lanes === 64 ? [all[1]!] : all.filter(({ size }) => lanes === 32 || size < 48);

  it.each(some)('$batch × $tokens tokens, $heads heads of $size, scores shifted by $shift', check);
});
