/**
 * The image folder on real photographs: a JPEG copy of CIFAR-10, `cifar10-jpeg.tar.gz` in the folder that
 * VITMIM_TEST_IMAGES names (train/ and test/, ten classes, 0000.jpg …). Skipped if the variable is unset;
 * VITMIM_REQUIRE_IMAGES=1 makes its absence a failure.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { viewPixels } from '../../src/common/view.js';
import { randomResizedCrop } from '../../src/data/augment.js';
import { stream } from '../../src/common/random.js';
import { type Dataset, openDataset } from '../../src/data/dataset.js';
import { imageFolder } from '../../src/data/image-folder.js';
import { largestDifference, ownCache, temporaryFolders } from './fixture.js';

const { VITMIM_TEST_IMAGES: folder, VITMIM_REQUIRE_IMAGES: required } = process.env;
const archive = join(folder ?? '', 'cifar10-jpeg.tar.gz');
const wanted = folder !== undefined || required === '1';

const CLASSES = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'];
const [TRAIN, TEST] = [20, 5];

(wanted ? describe : describe.skip)('an image folder of real photographs', () => {
  ownCache();
  const folderFor = temporaryFolders();
  let root: string;

  const open = (corrupt: 'fail' | 'skip' = 'fail'): Promise<Dataset<'class'>> =>
    openDataset(imageFolder.schema.parse({ name: 'image-folder', imageSize: 32, path: root, corrupt }));

  beforeAll(async () => {
    if (folder === undefined || !existsSync(archive)) {
      throw new Error(`no photographs to test with: VITMIM_TEST_IMAGES is to name a folder with cifar10-jpeg.tar.gz`);
    }
    root = await folderFor();
    const members = ['train', 'test'].flatMap((split) =>
      CLASSES.flatMap((name) =>
        Array.from(
          { length: split === 'train' ? TRAIN : TEST },
          (_, i) => `${split}/${name}/${String(i).padStart(4, '0')}.jpg`,
        ),
      ),
    );
    execFileSync('tar', ['-xzf', archive, '-C', root, ...members]);
  }, 60_000);

  it('should have its ten classes and every image', async () => {
    const { classes, train, test } = await open();
    expect(classes).toEqual(CLASSES);
    expect([train.length, test.length]).toEqual([10 * TRAIN, 10 * TEST]);
    const means: number[] = [];
    for (let i = 0; i < train.length; i++) {
      const { image, target } = await train.sample(i);
      expect(target).toBe(Math.floor(i / TRAIN));
      expect(image).toMatchObject({ height: 32, width: 32 });
      means.push(image.data.reduce((a, b) => a + b, 0) / image.data.length);
    }
    // CIFAR-10's mean over pixels and channels is 120.7, and about 36 its standard deviation over images.
    expect(Math.abs(means.reduce((a, b) => a + b, 0) / means.length - 120.7)).toBeLessThan((4 * 36) / Math.sqrt(200));
  });

  it('should decode the pixels that Pillow decodes', async () => {
    const { train } = await open();
    const { data } = (await train.sample(0)).image;
    const at = (x: number, y: number): Uint8Array => data.subarray((y * 32 + x) * 3, (y * 32 + x) * 3 + 3);
    expect(largestDifference(at(7, 5), [226, 228, 225])).toBeLessThanOrEqual(2);
    expect(largestDifference(at(25, 20), [58, 58, 60])).toBeLessThanOrEqual(2);
  });

  it('should be cropped to different views of the same bytes each time', async () => {
    const { train } = await open();
    const { image } = await train.sample(3);
    const crop = (epoch: number): Float32Array =>
      viewPixels(randomResizedCrop(image, 32, { scale: [0.2, 1] }, stream(0, 'test', epoch))).data;
    expect(crop(1)).toEqual(crop(1));
    expect(crop(1)).not.toEqual(crop(2));
  });

  it('should find a photograph that is cut short', async () => {
    const path = join(root, 'test/truck/0004.jpg');
    const whole = await readFile(path);
    await truncate(path, whole.length - 200);
    try {
      await expect((await open()).test.sample(49)).rejects.toThrow(/0004\.jpg cannot be decoded/);
      const { test } = await open('skip');
      expect((await test.sample(49)).target).toBe(0);
      expect(test.corrupt).toEqual([path]);
    } finally {
      await writeFile(path, whole);
    }
  });
});
