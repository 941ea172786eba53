/** Corrupted views of threads are those of this thread: the same bytes, in any order of arrival. */
import type { ByteImage } from '../../src/common/image.js';
import { stream } from '../../src/common/random.js';
import { openCorrupter } from '../../src/data/corrupters.js';
import { corrupt, type CorruptionName } from '../../src/data/corruptions/index.js';

const SIZE = 16;
const NAMES: readonly CorruptionName[] = [
  'gaussian_noise',
  'glass_blur',
  'frost',
  'elastic_transform',
  'jpeg_compression',
];

/** All images of a data set in one buffer, as CIFAR's. */
const BYTES = 3 * SIZE * SIZE;
const PIXELS = Uint8Array.from({ length: 6 * BYTES }, (_, i) => stream(0, 'image', i % 997).integer(256));
const imageAt = (index: number): ByteImage => {
  return { data: PIXELS.subarray(BYTES * index, BYTES * (index + 1)), height: SIZE, width: SIZE };
};

/** A batch of each corruption: from the second on, in memory that the one before has given back. */
async function corrupted(cores: number): Promise<Uint8Array[]> {
  const ask = openCorrupter({ size: SIZE }, cores);
  const all: Uint8Array[] = [];
  for (const name of NAMES) {
    const batch = await Promise.all(
      Array.from({ length: 6 }, (_, index) => ask({ image: imageAt(index), name, severity: 1 + (index % 5), index })),
    );
    all.push(...batch.map(({ data }) => data.slice()));
    for (const { release } of batch) release?.();
  }
  return all;
}

it('gives the same bytes on one core and on three', async () => {
  const expected = await corrupted(1);
  expect(await corrupted(3)).toEqual(expected);
  expect(new Set(expected.map((data) => data.join())).size).toBe(30);
});

it('corrupts an image of the size of the view as it is', async () => {
  const { data, ...size } = imageAt(2);
  const pixels = { data: Float32Array.from(data, (value) => value / 255), ...size };
  const view = await openCorrupter({ size: SIZE }, 1)({ image: imageAt(2), name: 'fog', severity: 3, index: 2 });
  expect(view).toEqual(await corrupt(pixels, 'fog', 3, 2));
});

it('releases the memory of an image once, and changes no image', async () => {
  for (const cores of [1, 2]) {
    const before = imageAt(3).data.slice();
    let released = 0;
    const image = { ...imageAt(3), release: () => (released += 1) };
    await openCorrupter({ size: SIZE }, cores)({ image, name: 'snow', severity: 1, index: 3 });
    expect([released, imageAt(3).data]).toEqual([1, before]);
  }
});
