/** Kernels that only move values: transposes, slices, tiles, joins and patches. */
import * as tf from '@tensorflow/tfjs';
import { sizeOf } from '../../kernels.js';
import type { SimdBackend } from '../backend.js';
import { offset } from '../address.js';
import type { Four } from '../records.js';
import { cut } from '../tasks/chunks.js';
import { defineKernel, ours, stock } from './kernel.js';

/** An axis of a copy: its size, and the distance between its positions in the source, in floats. */
interface Axis {
  size: number;
  stride: number;
}

const MOST_AXES = 4;

/** Strides of a dense tensor. */
function denseStrides(shape: readonly number[]): number[] {
  return shape.map((_, i) => sizeOf(shape.slice(i + 1)));
}

/** Drops axes of size 1, and joins axes that are also consecutive in the source. */
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

/**
 * A dense copy of the values at strides in a tensor, from its float number `first` on; null if there are too many axes.
 */
function copied(
  backend: SimdBackend,
  x: tf.TensorInfo,
  axes: readonly Axis[],
  shape: readonly number[],
  first = 0,
): tf.TensorInfo | null {
  const few = joined(axes);
  if (few.length > MOST_AXES) return null;
  while (few.length < MOST_AXES) few.unshift({ size: 1, stride: 0 });
  const out = backend.output(shape);
  const sizes = few.map((axis) => axis.size) as unknown as Four;
  const strides = few.map((axis) => axis.stride) as unknown as Four;
  const { axis, size, chunks } = cut(sizes);
  const [from, to] = [offset(backend.address(x), first), backend.address(out)];
  backend.run('copyStrided', chunks, { x: from, out: to, sizes, strides, axis, size });
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
    const first = begin.reduce((sum, at, i) => sum + at * strides[i]!, 0);
    return copied(backend, x, axes, size, first) ?? stock('Slice', backend, inputs, attributes);
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
    const [from, place] = [backend.address(tensor), to];
    backend.perform(({ kernels }) => {
      kernels.scatterRows({ x: from, out: place, rows, columns, stride });
    });
    to = offset(to, columns);
  }
  return out;
});

const pad = defineKernel<{ paddings: [number, number][]; constantValue: number }>(
  'PadV2',
  (backend, inputs, attributes) => {
    const x = inputs.x!;
    const { paddings, constantValue } = attributes;
    if (!ours(x)) return stock('PadV2', backend, inputs, attributes);
    const out = backend.output(x.shape.map((size, i) => size + paddings[i]![0] + paddings[i]![1]));
    const values = backend.values(out);
    const strides = denseStrides(out.shape);
    const first = paddings.reduce((sum, [before], i) => sum + before * strides[i]!, 0);
    // The axes after the last padded one are runs. The axis before that one has equal distances between its runs.
    const last = paddings.findLastIndex(([before, after]) => before + after > 0);
    const axis = Math.max(last, 0);
    const rows = x.shape[axis - 1] ?? 1;
    const columns = sizeOf(x.shape.slice(axis));
    const outer = x.shape.slice(0, Math.max(axis - 1, 0));
    const [from, to] = [backend.address(x), backend.address(out)];
    backend.perform(({ kernels }) => {
      values.fill(constantValue);
      for (let block = 0; block < sizeOf(outer); block++) {
        const place = offset(to, first + placeOf(block, outer, strides));
        const x = offset(from, block * rows * columns);
        kernels.scatterRows({ x, out: place, rows, columns, stride: strides[axis - 1] ?? 0 });
      }
    });
    return out;
  },
);

/** The distance of a position, counted through `shape` with the last axis fastest, from the first: in floats. */
function placeOf(position: number, shape: readonly number[], strides: readonly number[]): number {
  let rest = position;
  let place = 0;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    place += (rest % shape[axis]!) * strides[axis]!;
    rest = Math.floor(rest / shape[axis]!);
  }
  return place;
}

interface PatchGrid {
  patchSize: number;
  rows: number;
  columns: number;
}

/** [B, rows, patch, columns, patch·3] → [B, rows, columns, patch, patch·3]. With the sizes swapped, the inverse. */
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
  pad,
  defineKernel<PatchGrid>('VitPatchify', (backend, { input0: images }, grid) => toPatches(backend, images!, grid)),
  defineKernel<PatchGrid>('VitPatchifyGrad', (backend, { dy }, grid) => toImages(backend, dy!, grid)),
  defineKernel<PatchGrid>('VitUnpatchify', (backend, { input0: tokens }, grid) => toImages(backend, tokens!, grid)),
  defineKernel<PatchGrid>('VitUnpatchifyGrad', (backend, { dy }, grid) => toPatches(backend, dy!, grid)),
];
