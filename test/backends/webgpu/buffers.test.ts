import { Buffers } from '../../../src/backends/webgpu/buffers.js';

interface Made {
  size: number;
  destroyed: boolean;
}

function onNoDevice(): { buffers: Buffers; made: Made[] } {
  const made: Made[] = [];
  const device = {
    createBuffer: ({ size }: { size: number }) => {
      const buffer = { size, destroyed: false, destroy: () => (buffer.destroyed = true) };
      made.push(buffer);
      return buffer;
    },
  };
  return { buffers: new Buffers(device as unknown as GPUDevice), made };
}

const USAGE = 128;

it('returns the free buffer that was created first, in any order of releases', () => {
  const { buffers, made } = onNoDevice();
  const [a, b, c] = [0, 1, 2].map(() => buffers.acquireBuffer(64, USAGE));
  for (const order of [
    [a, b, c],
    [c, a, b],
    [b, c, a],
  ]) {
    for (const buffer of order) buffers.releaseBuffer(buffer!);
    expect(buffers.getNumFreeBuffers()).toBe(3);
    expect([0, 1, 2].map(() => buffers.acquireBuffer(64, USAGE))).toEqual([a, b, c]);
  }
  buffers.releaseBuffer(b!);
  expect(buffers.acquireBuffer(64, USAGE)).toBe(b);
  expect(made).toHaveLength(3);
});

it('separates sizes and usages, and counts bytes', () => {
  const { buffers } = onNoDevice();
  const large = buffers.acquireBuffer(64, USAGE);
  const small = buffers.acquireBuffer(16, USAGE);
  buffers.releaseBuffer(large);
  expect(buffers.acquireBuffer(64, USAGE + 1)).not.toBe(large);
  expect(buffers.acquireBuffer(16, USAGE)).not.toBe(small);
  expect(buffers).toMatchObject({ numBytesUsed: 96, numBytesAllocated: 160 });
  expect(buffers.getNumUsedBuffers()).toBe(3);
});

it('destroys buffers that are used once, and all when it is disposed of', () => {
  const { buffers, made } = onNoDevice();
  const kept = buffers.acquireBuffer(8, USAGE);
  const single = buffers.acquireBuffer(8, USAGE, true, false);
  buffers.releaseBuffer(single, false);
  expect(made.map(({ destroyed }) => destroyed)).toEqual([false, true]);
  expect(buffers.numBytesAllocated).toBe(8);
  buffers.dispose();
  expect(made.every(({ destroyed }) => destroyed)).toBe(true);
  expect(buffers).toMatchObject({ numBytesUsed: 0, numBytesAllocated: 0 });
  expect(() => {
    buffers.releaseBuffer(kept); // of a tensor that outlives its backend
  }).not.toThrow();
});

it('throws when a buffer is released twice', () => {
  const { buffers } = onNoDevice();
  const buffer = buffers.acquireBuffer(8, USAGE);
  buffers.releaseBuffer(buffer);
  expect(() => {
    buffers.releaseBuffer(buffer);
  }).toThrow(/twice/);
});
