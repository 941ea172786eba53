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
});

test('ADE20K is read, with 0 and 255 as no class', async () => {
  const root = await write({
    'ADEChallengeData2016/images/training/x.jpg': await sharp(picture).jpeg().toBuffer(),
    'ADEChallengeData2016/annotations/training/x.png': await png([0, 1, 150, IGNORED]),
    'ADEChallengeData2016/images/validation/y.jpg': await sharp(picture).jpeg().toBuffer(),
    'ADEChallengeData2016/annotations/validation/y.png': await png([7]),
  });
  const { classes, train, test: held } = await open(root);
  expect(classes).toHaveLength(150);
  expect([...(await train.sample(0)).target.data.slice(0, 4)]).toEqual([IGNORED, 0, 149, IGNORED]);
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
    await expect(open(await folder())).rejects.toThrow('set data.classes to their number or names');
  });

  test('a class beyond them', async () => {
    const { train } = await open(await folder(), { classes: 2 });
    await expect(train.sample(0)).rejects.toThrow(/a\.png has a pixel of class 2, and there are 2 classes/);
  });

  test('a mask of another size', async () => {
    const { train } = await open(await folder({ 'masks/train/a.png': await png([0], false, 5) }), { classes: 2 });
    await expect(train.sample(0)).rejects.toThrow('has 5 × 6 pixels, and its image');
  });

  test('an image without a mask, with a file that could be meant', async () => {
    const root = await folder({
      'images/train/b.png': picture,
      'masks/train/b.jpg': 'x',
      'images/train/c.png': picture,
    });
    await expect(open(root, { classes: 3 })).rejects.toThrow(
      /images\/train\/b\.png has no mask .*masks\/train\/b\.png, and 1 more of this folder have none; there is b\.jpg, but only PNG files .*; add the missing masks, or remove the images/,
    );
  });

  test('a mask of a list that is missing', async () => {
    const root = await write({
      'ImageSets/Segmentation/train.txt': 'a\n',
      'ImageSets/Segmentation/val.txt': 'a\n',
      'JPEGImages/a.jpg': await sharp(picture).jpeg().toBuffer(),
      'SegmentationClass/other.png': await png([0]),
    });
    await expect(open(root)).rejects.toThrow(
      /cannot read .*SegmentationClass\/a\.png \(.*\); add the file, or remove its image/,
    );
  });

  test('a mask of colours', async () => {
    const colours = await sharp({ create: { width: WIDTH, height: HEIGHT, channels: 3, background: '#804000' } })
      .png()
      .toBuffer();
    const { train } = await open(await folder({ 'masks/train/a.png': colours }), { classes: 2 });
    await expect(train.sample(0)).rejects.toThrow(
      /a\.png is no mask \(it has colours \(RGB\), not one class for each pixel; save it with a palette or in grey\); replace it/,
    );
  });

  test('a mask whose bytes are damaged', async () => {
    const damaged = await png(Array.from({ length: HEIGHT * WIDTH }, (_, i) => i % 3));
    damaged[damaged.length - 22]! ^= 0xff; // in the checksum of the compressed pixels
    const { train } = await open(await folder({ 'masks/train/a.png': damaged }), { classes: 3 });
    await expect(train.sample(0)).rejects.toThrow(/masks\/train\/a\.png is no mask \(.*\); replace it/);
  });

  test('an image that cannot be decoded', async () => {
    const { train } = await open(await folder({ 'images/train/a.png': picture.subarray(0, 40) }), { classes: 3 });
    await expect(train.sample(0)).rejects.toThrow(
      /images\/train\/a\.png cannot be decoded \(.*\); replace it, or remove it with/,
    );
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

describe('validation images', () => {
  const NAMES = ['a', 'b', 'c', 'd'];
  const folder = async () => {
    const pairs = async (split: string) =>
      Promise.all(
        NAMES.map(async (name, i) => [
          [`images/${split}/${name}.png`, picture],
          [`masks/${split}/${name}.png`, await png([i % 3])],
        ]),
      );
    const files = [...(await pairs('train')), ...(await pairs('val')), ...(await pairs('test'))].flat();
    return write(Object.fromEntries(files) as Record<string, Buffer>);
  };
  const lengths = async (keys: object) => {
    const { train, validation, test: held } = await open(await folder(), { classes: 3, ...keys });
    return { train: train.length, validation: validation?.length ?? 0, test: held.length };
  };

  test('are drawn from the training images, as a fraction or a number', async () => {
    expect(await lengths({ validation: 0.5 })).toEqual({ train: 2, validation: 2, test: 4 });
    expect(await lengths({ validation: { images: 1 } })).toEqual({ train: 3, validation: 1, test: 4 });
  });

  test('are those of a folder', async () => {
    expect(await lengths({ validation: { folder: 'val' } })).toEqual({ train: 4, validation: 4, test: 4 });
    const root = await folder();
    const { validation } = await open(root, { classes: 3, validation: { folder: 'val' } });
    expect(new Set((await validation!.sample(1)).target.data)).toEqual(new Set([1]));
    await expect(open(root, { classes: 3, validation: { folder: 'nowhere' } })).rejects.toThrow(
      /cannot list .*nowhere/,
    );
    await expect(open(root, { classes: 3, validation: { folder: 'train' } })).rejects.toThrow(
      'has the training images',
    );
  });

  test('of a layout without such folders are refused', async () => {
    const root = await write({
      'images/training/x.jpg': await sharp(picture).jpeg().toBuffer(),
      'annotations/training/x.png': await png([1]),
      'images/validation/y.jpg': await sharp(picture).jpeg().toBuffer(),
      'annotations/validation/y.png': await png([7]),
    });
    await expect(open(root, { validation: { folder: 'val' } })).rejects.toThrow(
      'has no folder val for validation; set data.validation to a fraction or a number of images',
    );
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
