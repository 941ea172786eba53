/** Kernels that only move values: transposes, slices, tiles, joins and patches. */
import * as tf from '@tensorflow/tfjs';
import { sizeOf } from '../../kernels.js';
import type { SimdBackend } from '../backend.js';
import { cut, FLOAT } from '../tasks/chunks.js';
import { defineKernel, ours, stock } from './kernel.js';

/** An axis of a copy: how many, and how far apart in the source, in floats. */
interface Axis {
  size: number;
  stride: number;
}

const MOST_AXES = 4;

/** Strides of a dense tensor. */
function denseStrides(shape: readonly number[]): number[] {
  return shape.map((_, i) => sizeOf(shape.slice(i + 1)));
}

/** Drops axes of size 1 and joins those that the source, too, has one after the other. */
function joined(axes: readonly Axis[]): Axis[] {
  const result: Axis[] = [];
  for (const { size, stride } of axes) {
    const last = result.at(-1);
    if (size === 1) continue;
    if (last?.stride === size * stride) {
      last.size *= size;
      last.stride = stride;
    } else {
      result.push({ size, stride });
    }
  }
  return result;
}

/** A dense tensor from values at strides in another, beginning `offset` floats in; null with too many axes. */
function copied(
  backend: SimdBackend,
  x: tf.TensorInfo,
  axes: readonly Axis[],
  shape: readonly number[],
  offset = 0,
): tf.TensorInfo | null {
  const few = joined(axes);
  if (few.length > MOST_AXES) return null;
  while (few.length < MOST_AXES) few.unshift({ size: 1, stride: 0 });
  const out = backend.output(shape);
  const [n, s] = [few.map(({ size }) => size), few.map(({ stride }) => stride)];
  const { axis, size, chunks } = cut(n);
  backend.run(
    'copyStrided',
    chunks,
    backend.address(x) + FLOAT * offset,
    backend.address(out),
    ...(n as unknown as readonly [number, number, number, number]),
    ...(s as unknown as readonly [number, number, number, number]),
    axis,
    size,
  );
  return out;
}

const transpose = defineKernel<{ perm: number[] }>('Transpose', (backend, inputs, attributes) => {
  const x = inputs.x!;
  const strides = denseStrides(x.shape);
  const axes = attributes.perm.map((axis) => ({ size: x.shape[axis]!, stride: strides[axis]! }));
  const shape = axes.map(({ size }) => size);
  return (ours(x) ? copied(backend, x, axes, shape) : null) ?? stock('Transpose', backend, inputs, attributes);
});

const slice = defineKernel<{ begin: number | number[]; size: number | number[] }>(
  'Slice',
  (backend, inputs, attributes) => {
    const x = inputs.x!;
    const parameters = tf.slice_util.parseSliceParams(x, attributes.begin, attributes.size);
    const [begin, size] = parameters as [number[], number[]];
    if (!ours(x) || sizeOf(size) === 0) return stock('Slice', backend, inputs, attributes);
    tf.slice_util.assertParamsValid(x, begin, size);
    const strides = denseStrides(x.shape);
    const axes = size.map((length, i) => ({ size: length, stride: strides[i]! }));
    const offset = begin.reduce((sum, at, i) => sum + at * strides[i]!, 0);
    return copied(backend, x, axes, size, offset) ?? stock('Slice', backend, inputs, attributes);
  },
);

const tile = defineKernel<{ reps: number[] }>('Tile', (backend, inputs, attributes) => {
  const x = inputs.x!;
  const strides = denseStrides(x.shape);
  const axes = x.shape.flatMap((size, i) => [
    { size: attributes.reps[i]!, stride: 0 },
    { size, stride: strides[i]! },
  ]);
  const shape = x.shape.map((size, i) => size * attributes.reps[i]!);
  const fits = ours(x) && sizeOf(shape) > 0;
  return (fits ? copied(backend, x, axes, shape) : null) ?? stock('Tile', backend, inputs, attributes);
});

const concat = defineKernel<{ axis: number }>('Concat', (backend, inputs, attributes) => {
  const tensors = Object.values(inputs);
  if (!ours(...tensors)) return stock('Concat', backend, inputs, attributes);
  const shapes = tensors.map(({ shape }) => shape);
  const axis = tf.util.parseAxisParam(attributes.axis, shapes[0]!)[0]!;
  tf.backend_util.assertParamsConsistent(shapes, axis);
  const out = backend.output(tf.backend_util.computeOutShape(shapes, axis));
  const rows = sizeOf(out.shape.slice(0, axis));
  const stride = sizeOf(out.shape.slice(axis));
  let to = backend.address(out);
  for (const tensor of tensors) {
    const columns = sizeOf(tensor.shape.slice(axis));
    backend.kernels.scatterRows(backend.address(tensor), to, rows, columns, stride);
    to += FLOAT * columns;
  }
  return out;
});

interface PatchGrid {
  patchSize: number;
  rows: number;
  columns: number;
}

/** [B, rows, patch, columns, patch·3] → [B, rows, columns, patch, patch·3]; the way back is the same with sizes swapped. */
function swapMiddle(
  backend: SimdBackend,
  x: tf.TensorInfo,
  [outer, first, second, run]: readonly [number, number, number, number],
  shape: readonly number[],
): tf.TensorInfo {
  const axes = [
    { size: outer, stride: first * second * run },
    { size: second, stride: run },
    { size: first, stride: second * run },
    { size: run, stride: 1 },
  ];
  return copied(backend, x, axes, shape)!;
}

function toPatches(
  backend: SimdBackend,
  images: tf.TensorInfo,
  { patchSize, rows, columns }: PatchGrid,
): tf.TensorInfo {
  const values = patchSize * patchSize * 3;
  const batch = sizeOf(images.shape) / (rows * columns * values);
  const shape = [batch, rows * columns, values];
  return swapMiddle(backend, images, [batch * rows, patchSize, columns, patchSize * 3], shape);
}

function toImages(backend: SimdBackend, tokens: tf.TensorInfo, { patchSize, rows, columns }: PatchGrid): tf.TensorInfo {
  const batch = sizeOf(tokens.shape) / (rows * columns * patchSize * patchSize * 3);
  const shape = [batch, rows * patchSize, columns * patchSize, 3];
  return swapMiddle(backend, tokens, [batch * rows, columns, patchSize, patchSize * 3], shape);
}

export const copyKernels = [
  transpose,
  slice,
  tile,
  concat,
  defineKernel<PatchGrid>('VitPatchify', (backend, { input0: images }, grid) => toPatches(backend, images!, grid)),
  defineKernel<PatchGrid>('VitPatchifyGrad', (backend, { dy }, grid) => toImages(backend, dy!, grid)),
  defineKernel<PatchGrid>('VitUnpatchify', (backend, { input0: tokens }, grid) => toImages(backend, tokens!, grid)),
  defineKernel<PatchGrid>('VitUnpatchifyGrad', (backend, { dy }, grid) => toPatches(backend, dy!, grid)),
];
