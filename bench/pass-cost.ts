/**
 * The minimal work of a pass of device webgpu, from its name, sizes and buffers. For a pass that is not named here, the
 * assumption is that it reads each input once and writes each result once.
 */
import type { Cost } from './floors.js';

/** A pass of src/backends/webgpu, with the bytes of each buffer by its name in the shader. */
export interface PassBuffers {
  name: string;
  sizes: Readonly<Record<string, unknown>>;
  reads: Readonly<Record<string, number>>;
  writes: Readonly<Record<string, number>>;
}

/** How often the bytes of a buffer are transferred, if not once. */
const TRAFFIC: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  adamW: { value: 2, first: 2, second: 2 }, // in place
  // qkv and its gradient have three parts.
  'attention, gradient of queries': { dqkv: 1 / 3 },
  'attention, gradient of keys': { dqkv: 1 / 3 },
  'attention, gradient of values': { qkv: 2 / 3, dqkv: 1 / 3 },
  'attention, gradient of keys and values': { dqkv: 2 / 3 },
};

/**
 * Products of tokens with tokens in each attention pass. The scores are not kept, so every gradient computes them
 * again: that is part of the floor here, but not of the model's FLOPs.
 */
const ATTENTION_PRODUCTS: Readonly<Record<string, number>> = {
  attention: 2,
  'attention, gradient of queries': 3,
  'attention, gradient of keys': 3,
  'attention, gradient of values': 2,
  'attention, gradient of keys and values': 4,
};

export function passCost(pass: PassBuffers): Cost {
  return { bytes: bytesOf(pass), flops: flopsOf(pass) };
}

function bytesOf({ name, reads, writes }: PassBuffers): number {
  const traffic = TRAFFIC[name] ?? {};
  const passing = Object.entries({ ...reads, ...writes }).map(
    // A pass may have several buffers of a kind, which are numbered.
    ([buffer, bytes]) => (traffic[buffer.replace(/\d+$/, '')] ?? 1) * bytes,
  );
  // A gather reads only as much of x as it writes.
  const notRead = name === 'gatherRows' ? Math.max(0, (reads.x ?? 0) - (writes.y ?? 0)) : 0;
  return passing.reduce((a, b) => a + b, 0) - notRead;
}

function flopsOf({ name, sizes }: PassBuffers): number {
  const factors = (...keys: string[]): number => keys.reduce((flops, key) => flops * sizeIn(name, sizes, key), 2);
  if (name.startsWith('product')) return factors('rows', 'columns', 'depth');
  const products = ATTENTION_PRODUCTS[name];
  if (products !== undefined) return products * factors('batch', 'heads', 'tokens', 'tokens', 'size');
  return 0;
}

function sizeIn(name: string, sizes: PassBuffers['sizes'], key: string): number {
  const size = sizes[key];
  if (typeof size !== 'number') throw new Error(`pass ${name} has no size ${key}: bench/pass-cost.ts is out of date`);
  return size;
}
