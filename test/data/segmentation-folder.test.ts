import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { openDataset } from '../../src/data/dataset.js';
import { segmentationFolder } from '../../src/data/segmentation-folder.js';
import { IGNORED } from '../../src/data/target.js';
import { ownCache, temporaryFolders } from './fixture.js';

ownCache();
const folderFor = temporaryFolders();
const [HEIGHT, WIDTH] = [6, 9];

/** A picture of one grey, or a mask with these numbers in turn. */
async function png(numbers: readonly number[], palette = false, width = WIDTH): Promise<Buffer> {
  const data = Uint8Array.from({ length: HEIGHT * width }, (_, i) => numbers[i % numbers.length]!);
  const image = sharp(data, { raw: { width, height: HEIGHT, channels: 1 } });
  return palette ? image.png({ palette: true }).toBuffer() : image.toColourspace('b-w').png().toBuffer();
}

async function write(files: Record<string, Buffer | string>): Promise<string> {
  const root = await folderFor();
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), content);
  }
  return root;
}

const open = (path: string, keys: object = {}) =>
  openDataset(segmentationFolder.schema.parse({ name: 'segmentation-folder', imageSize: 8, path, ...keys }));

const picture = await png([90]);

test('images/ and masks/ are read, with the classes of classes.txt', async () => {
  const root = await write({
    'images/train/a.png': picture,
    'images/train/b.png': picture,
    'images/train/alone.png': picture,
    'masks/train/a.png': await png([0, 1, 2]),
    'masks/train/b.png': await png([2, IGNORED]),
    'images/val/c.png': picture,
    'masks/val/c.png': await png([1]),
    'classes.txt': 'sky\nroad\ncar\n',
  });
  const { classes, train, test: held, remarks } = await open(root);
  expect(classes).toEqual(['sky', 'road', 'car']);
  expect([train.length, held.length]).toEqual([2, 1]);
  expect([...(await train.sample(0)).target.data.slice(0, 3)]).toEqual([0, 1, 2]);
  expect(new Set((await train.sample(1)).target.data)).toEqual(new Set([2, IGNORED]));
  expect(remarks).toContain('layout: images and masks');
  expect(remarks!.join()).toContain('not used: 1 image');
});

test('ADE20K is read, with 0 as no class', async () => {
  const root = await write({
    'ADEChallengeData2016/images/training/x.jpg': await sharp(picture).jpeg().toBuffer(),
    'ADEChallengeData2016/annotations/training/x.png': await png([0, 1, 150]),
    'ADEChallengeData2016/images/validation/y.jpg': await sharp(picture).jpeg().toBuffer(),
    'ADEChallengeData2016/annotations/validation/y.png': await png([7]),
  });
  const { classes, train, test: held } = await open(root);
  expect(classes).toHaveLength(150);
  expect([...(await train.sample(0)).target.data.slice(0, 3)]).toEqual([IGNORED, 0, 149]);
  expect((await held.sample(0)).target.data[0]).toBe(6);
});

test('VOC 2012 is read by its lists, and its masks are indices', async () => {
  const root = await write({
    'ImageSets/Segmentation/train.txt': '2007_1\n',
    'ImageSets/Segmentation/val.txt': '2007_2\n\n',
    'JPEGImages/2007_1.jpg': await sharp(picture).jpeg().toBuffer(),
    'JPEGImages/2007_2.jpg': await sharp(picture).jpeg().toBuffer(),
    'JPEGImages/2007_3.jpg': await sharp(picture).jpeg().toBuffer(),
    'SegmentationClass/2007_1.png': await png([0, 15, IGNORED]),
    'SegmentationClass/2007_2.png': await png([20]),
  });
  const { classes, train, test: held } = await open(root);
  expect([classes.length, classes[15], train.length, held.length]).toEqual([21, 'person', 1, 1]);
  expect([...(await train.sample(0)).target.data.slice(0, 3)]).toEqual([0, 15, IGNORED]);
});

describe('an error names', () => {
  const folder = async (files: Record<string, Buffer | string> = {}) =>
    write({ 'images/train/a.png': picture, 'masks/train/a.png': await png([0, 1, 2]), ...files });

  test('the classes that are not known', async () => {
    await expect(open(await folder())).rejects.toThrow('Set data.classes to their number or names');
  });

  test('a class beyond them', async () => {
    const { train } = await open(await folder(), { classes: 2 });
    await expect(train.sample(0)).rejects.toThrow(/a\.png has a pixel of class 2, and there are 2 classes/);
  });

  test('a mask of another size', async () => {
    const { train } = await open(await folder({ 'masks/train/a.png': await png([0], false, 5) }), { classes: 2 });
    await expect(train.sample(0)).rejects.toThrow('has 5 × 6 pixels, and its image');
  });

  test('a mask that is no PNG', async () => {
    const { train } = await open(await folder({ 'masks/train/a.png': 'text' }), { classes: 2 });
    await expect(train.sample(0)).rejects.toThrow(/a\.png is no mask \(it is no PNG file\)/);
  });

  test('a folder without a layout, and one that is missing', async () => {
    await expect(open(await write({ 'a.txt': '' }))).rejects.toThrow('has no layout that is known');
    await expect(open('/nowhere/at/all')).rejects.toThrow('there is no folder /nowhere/at/all');
  });
});

test('the fingerprint follows masks, classes and the meaning of 0', async () => {
  const files = { 'images/train/a.png': picture, 'masks/train/a.png': await png([1, 2]) };
  const of = async (root: string, keys: object) => (await open(root, keys)).fingerprint;
  const [one, same, other] = [
    await write(files),
    await write(files),
    await write({ ...files, 'masks/train/a.png': await png([2, 1]) }),
  ];
  const plain = await of(one, { classes: 3 });
  expect(await of(same, { classes: 3 })).toBe(plain);
  const changed = [
    await of(other, { classes: 3 }),
    await of(one, { classes: 4 }),
    await of(one, { classes: 3, zeroIsIgnored: true }),
  ];
  expect(new Set([plain, ...changed]).size).toBe(4);
});
