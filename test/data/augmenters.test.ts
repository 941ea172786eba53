/** Images augmented on threads are those of this thread: the same bytes and patches, in any order of arrival. */
import { viewPixels } from '../../src/common/view.js';
import type { ByteImage } from '../../src/common/image.js';
import { stream } from '../../src/common/random.js';
import type { Augmented } from '../../src/data/augmentations/augment.js';
import { openAugmenter, type Augmenter } from '../../src/data/augmenters.js';

const SIZE = 16;
const RECIPE = {
  ...{ cropScale: [0.2, 1] as const, flip: true },
  randAugment: { magnitude: 9, std: 0.5, ops: 2, probability: 0.5, increasing: true },
  randomErasing: 0.5,
};

/** All images of a data set in one buffer, as CIFAR's. */
const PIXELS = Uint8Array.from({ length: 12 * 3 * 20 * 22 }, (_, i) => stream(0, 'image', i % 997).integer(256));
const imageAt = (index: number): ByteImage => {
  return { data: PIXELS.subarray(3 * 20 * 22 * index, 3 * 20 * 22 * (index + 1)), height: 20, width: 22 };
};

/** A batch, twice: the second one in memory that the first one has given back. */
async function augmented(augment: Augmenter): Promise<unknown[]> {
  const all: unknown[] = [];
  for (const epoch of [0, 1]) {
    const batch = await Promise.all(
      Array.from({ length: 12 }, (_, index) => augment({ image: imageAt(index), epoch, index })),
    );
    all.push(...batch.map(described));
    for (const { view } of batch) view.image.release?.();
  }
  return all;
}

const described = ({ view, patches }: Augmented) => ({ pixels: viewPixels(view), patches });

it('gives the same views and patches on one core and on three', async () => {
  const [here, there] = [1, 3].map((cores) => openAugmenter({ recipe: RECIPE, size: SIZE, seed: 4 }, cores));
  const expected = await augmented(here!);
  expect(await augmented(there!)).toEqual(expected);
  expect(expected).toContainEqual({ pixels: expect.anything() as unknown, patches: [] });
  expect(new Set(expected.map((each) => JSON.stringify(each))).size).toBe(24);
});

it('releases the memory of an image once, and changes no image', async () => {
  for (const cores of [1, 2]) {
    const augment = openAugmenter({ recipe: RECIPE, size: SIZE, seed: 4 }, cores);
    const before = imageAt(3).data.slice();
    let released = 0;
    await augment({ image: { ...imageAt(3), release: () => (released += 1) }, epoch: 0, index: 3 });
    expect([released, imageAt(3).data]).toEqual([1, before]);
  }
});

it('leaves views to the device if no step changes pixels', async () => {
  const recipe = { cropScale: [0.2, 1] as const, flip: true };
  const augment = openAugmenter({ recipe, size: SIZE, seed: 4 }, 3);
  const image = imageAt(0);
  const { view, patches } = await augment({ image, epoch: 0, index: 0 });
  expect([view.image, patches]).toEqual([image, []]);
  expect(view.image).toBe(image);
});
