import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cp, mkdir, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { TrainingError, UsageError } from '../../src/common/errors.js';
import { openDataset } from '../../src/data/dataset.js';
import { imageFolder } from '../../src/data/image-folder.js';
import type { UnlabelledData } from '../../src/data/registry.js';
import { ImageCache } from '../../src/data/image-cache.js';
import { ownCache, temporaryFolders } from './fixture.js';

ownCache();

const folderFor = temporaryFolders();

/** A PNG of one grey value; its size in pixels is free, so that files differ in bytes. */
const png = (value: number, side = 4): Promise<Buffer> =>
  sharp({ create: { width: side, height: side, channels: 3, background: { r: value, g: value, b: value } } })
    .png()
    .toBuffer();

/** Writes files by their paths: a number is a grey PNG of that value, text is written as it is, null removes. */
async function write(root: string, files: Record<string, number | string | null>): Promise<string> {
  for (const [name, content] of Object.entries(files)) {
    const path = join(root, name);
    await mkdir(dirname(path), { recursive: true });
    if (content === null) await rm(path, { recursive: true });
    else await writeFile(path, typeof content === 'number' ? await png(content) : content);
  }
  return root;
}

const SMALL = {
  'train/cat/b.png': 11,
  'train/cat/a.png': 10,
  'train/dog/c.png': 20,
  'test/dog/x.png': 21,
  'test/cat/y.png': 12,
};

const written = async (changes: Record<string, number | string | null> = {}): Promise<string> =>
  write(await write(await folderFor(), SMALL), changes);

type Data = UnlabelledData<'image-folder'>;

/** The keys of a spec with these changes. */
const dataOf = (path: string, options: Partial<Data> = {}): Data => ({
  ...imageFolder.schema.parse({ name: 'image-folder', imageSize: 8, path }),
  ...options,
});

const open = (path: string, options: Partial<Data> = {}) => openDataset(dataOf(path, options));

/** The grey values and labels of all samples, in order. */
async function contents(split: {
  length: number;
  sample(i: number): Promise<{ image: { data: Uint8Array }; target: number }>;
}) {
  const read: [value: number, label: number][] = [];
  for (let i = 0; i < split.length; i++) {
    const { image, target } = await split.sample(i);
    read.push([image.data[0]!, target]);
  }
  return read;
}

describe('an image folder', () => {
  it('should have the sorted folders as classes and their sorted files as images', async () => {
    const { name, classes, train, test } = await open(await written());
    expect(name).toBe('image-folder');
    expect(classes).toEqual(['cat', 'dog']);
    expect(await contents(train)).toEqual([
      [10, 0],
      [11, 0],
      [20, 1],
    ]);
    expect(await contents(test)).toEqual([
      [12, 0],
      [21, 1],
    ]);
  });

  it('should keep images at their native sizes', async () => {
    const root = await written();
    await writeFile(join(root, 'train/cat/a.png'), await png(10, 9));
    const { train } = await open(root);
    expect((await train.sample(0)).image).toMatchObject({ height: 9, width: 9 });
    expect((await train.sample(1)).image).toMatchObject({ height: 4, width: 4 });
  });

  it('should read val/ if there is no test/, and test/ if there are both', async () => {
    const root = await written({ 'val/cat/v.png': 50, 'val/dog/v.png': 51 });
    const both = await open(root);
    expect((await contents(both.test)).map(([value]) => value)).toEqual([12, 21]);
    expect(both.remarks).toEqual(['val/ is not used: test/ is the test set (data.splits names another)']);
    await rm(join(root, 'test'), { recursive: true });
    const val = await open(root);
    expect((await contents(val.test)).map(([value]) => value)).toEqual([50, 51]);
    expect(val.remarks).toEqual(['val/ is the test set']);
  });

  it('should take every image kind in any case, nested folders, and no other or hidden files', async () => {
    const root = await written({
      'train/cat/notes.txt': 'no image',
      'train/cat/.hidden.png': 1,
      'train/.git/x.png': 2,
      'train/readme.md': 'no class',
      'train/cat/deep/er/d.PNG': 13,
    });
    await writeFile(
      join(root, 'train/cat/e.JPeG'),
      await sharp(await png(14))
        .jpeg()
        .toBuffer(),
    );
    await writeFile(
      join(root, 'train/cat/f.WEBP'),
      await sharp(await png(15))
        .webp({ lossless: true })
        .toBuffer(),
    );
    const { classes, train } = await open(root);
    expect(classes).toEqual(['cat', 'dog']);
    expect((await contents(train)).map(([value]) => value)).toEqual([10, 11, 13, 14, 15, 20]);
  });

  it('should follow links to class folders and to files', async () => {
    const root = await written({ 'elsewhere/bird/z.png': 30, 'test/bird/t.png': 31 });
    await symlink(join(root, 'elsewhere/bird'), join(root, 'train/bird'));
    await symlink(join(root, 'elsewhere/bird/z.png'), join(root, 'train/dog/z.png'));
    const { classes, train } = await open(root);
    expect(classes).toEqual(['bird', 'cat', 'dog']);
    expect((await contents(train)).map(([value]) => value)).toEqual([30, 10, 11, 20, 30]);
  });

  it('should decode an image once', async () => {
    const root = await written();
    const { train } = await open(root);
    const first = await train.sample(0);
    await rm(join(root, 'train/cat/a.png'));
    expect((await train.sample(0)).image).toBe(first.image);
  });

  it('should be cut down to trainImages and testImages, evenly over the classes', async () => {
    const { train, test } = await open(await written(), { trainImages: 2, testImages: 1 });
    expect(Array.from(train.labels)).toEqual([0, 1]);
    expect(test.length).toBe(1);
  });
});

describe("an image folder's fingerprint", () => {
  const fingerprint = async (root: string): Promise<string> => (await open(root)).fingerprint;

  it('should be of names and contents, not of place or time', async () => {
    const root = await written();
    const copy = join(await folderFor(), 'copy');
    await cp(root, copy, { recursive: true });
    await utimes(join(copy, 'train/cat/a.png'), 1, 1);
    expect(await fingerprint(copy)).toBe(await fingerprint(root));
  });

  it.each([
    ['an image is added', { 'train/dog/new.png': 1 }],
    ['an image is removed', { 'train/cat/a.png': null }],
    ['images lose their classes', { 'train/cat': null, 'train/dog': null, 'train/a.png': 10 }],
    [
      'an image changes its size',
      {
        'test/cat/y.png': 'longer than before, by far: no PNG of one colour has so many bytes, of that I am quite sure',
      },
    ],
    [
      'an image changes its split',
      { 'test/cat/y.png': null, 'test/cat/a.png': 10, 'train/cat/a.png': null, 'train/cat/y.png': 12 },
    ],
    ['two images of one size exchange their contents', { 'train/cat/a.png': 20, 'train/dog/c.png': 10 }],
    ['an image changes and not its size', { 'test/dog/x.png': 22 }],
    ['a class is renamed', { 'train/dog': null, 'test/dog': null, 'train/wolf/c.png': 20, 'test/wolf/x.png': 21 }],
  ])('should change when %s', async (_what, changes: Record<string, number | string | null>) => {
    expect(await fingerprint(await written(changes))).not.toBe(await fingerprint(await written()));
  });

  it('should change while the times of the file stay', async () => {
    const root = await written();
    const before = await fingerprint(root);
    const path = join(root, 'train/cat/a.png');
    const { atime, mtime } = await stat(path);
    await writeFile(path, await png(99));
    await utimes(path, atime, mtime);
    expect(await fingerprint(root)).not.toBe(before);
  });

  it('should tell from another one which files changed, are new and are gone', async () => {
    const root = await written();
    const before = await fingerprint(root);
    await write(root, { 'train/cat/a.png': 99, 'test/dog/x.png': null, 'test/dog/new.png': 5 });
    const { changesSince } = await open(root);
    expect(await changesSince!(before)).toBe('changed: train/cat/a.png; new: test/dog/new.png; gone: test/dog/x.png');
    expect(await changesSince!('0'.repeat(64))).toBeNull();
  });

  it('should be reported when it has changed since the last time', async () => {
    const root = await written();
    const told: string[] = [];
    const watch = { onChanged: (what: string) => told.push(what) };
    const data = dataOf(root);
    await openDataset(data, 1, watch);
    await write(root, { 'train/cat/a.png': 99 });
    await openDataset(data, 1, watch);
    await openDataset(data, 1, watch);
    expect(told).toEqual([`${root} changed since it was last read (changed: train/cat/a.png)`]);
  });

  it('should not depend on trainImages', async () => {
    const root = await written();
    expect((await open(root, { trainImages: 2 })).fingerprint).toBe(await fingerprint(root));
  });
});

describe('an image folder that cannot be used', () => {
  it.each([
    ['without train/', { train: null }, /there is no train\/ in .*, but there is test\/.*data\.splits/],
    [
      'with an empty class',
      { 'train/cat/a.png': null, 'train/cat/b.png': null, 'train/cat/a.tif': 'II*' },
      /train.cat holds no images \(\.jpg, .* and \.pgm are read; ignored: 1 × \.tif \(cat\/a\.tif\)\)/,
    ],
    ['with no image at all', { train: null, 'train/a.txt': 'a' }, /train holds no images .* 1 × \.txt \(a\.txt\)/],
    ['with different classes', { 'train/emu/e.png': 1, 'test/gnu/g.png': 1 }, /train lacks gnu; .*test lacks emu/],
  ])('should be refused: %s', async (_what, changes: Record<string, number | string | null>, message) => {
    const opening = open(await written(changes));
    await expect(opening).rejects.toThrow(UsageError);
    await expect(opening).rejects.toThrow(message);
  });

  it('should be refused with the layout it needs when it is missing', async () => {
    const path = join(await folderFor(), 'nowhere');
    await expect(open(path)).rejects.toThrow(UsageError);
    await expect(open(path)).rejects.toThrow(/there is no folder .*nowhere.*train\/ and test\/.*vitmim data fetch/s);
  });

  it('should be refused for a link that leads nowhere and an empty file, with the remedy', async () => {
    const root = await written({ 'test/cat/empty.png': '' });
    await symlink(join(root, 'gone.png'), join(root, 'train/cat/link.png'));
    const opening = open(root);
    await expect(opening).rejects.toThrow(UsageError);
    await expect(opening).rejects.toThrow(
      /link\.png \(a link that leads nowhere\), .*empty\.png \(an empty file\) cannot be decoded.*data\.corrupt: skip/,
    );
  });
});

describe('the splits of an image folder', () => {
  const values = async (split: Parameters<typeof contents>[0]): Promise<number[]> =>
    (await contents(split)).map(([value]) => value);

  it('should be those that the spec names, wherever they are', async () => {
    const root = await write(await folderFor(), {
      'a/fit/cat/1.png': 1,
      'a/fit/dog/2.png': 2,
      'b/cat/3.png': 3,
      'b/dog/4.png': 4,
      'c/cat/5.png': 5,
      'c/dog/6.png': 6,
    });
    const splits = { train: 'a/fit', test: 'b', validation: 'c' };
    const { train, test, validation } = await open(root, { splits, validation: { folder: 'c' } });
    expect([await values(train), await values(test), await values(validation!)]).toEqual([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    const { validation: unread, remarks } = await open(root, { splits });
    expect(unread).toBeUndefined();
    expect(remarks).toContain('c/ is not read: data.validation: { folder: c } makes it the validation split');
  });

  describe('with a folder of validation images', () => {
    const folder = { validation: { folder: 'val' } } as const;

    it('should have its images, and the usual others', async () => {
      const root = await written({ 'val/cat/v.png': 50, 'val/dog/v.png': 51 });
      const { train, test, validation } = await open(root, folder);
      expect([await values(train), await values(test), await values(validation!)]).toEqual([
        [10, 11, 20],
        await values((await open(root)).test),
        [50, 51],
      ]);
    });

    it('should not take it for the test set', async () => {
      const root = await written({ test: null, 'val/cat/v.png': 50, 'val/dog/v.png': 51 });
      expect((await open(root, folder)).test).toHaveLength(0);
    });

    it('should have another fingerprint when one of its images changes, unless no stage reads it', async () => {
      const before = await written({ 'val/cat/v.png': 50, 'val/dog/v.png': 51 });
      const after = await written({ 'val/cat/v.png': 50, 'val/dog/v.png': 52 });
      const fingerprints = async (root: string) => [
        (await open(root)).fingerprint,
        (await open(root, folder)).fingerprint,
      ];
      const [[a, withA], [b, withB]] = [await fingerprints(before), await fingerprints(after)];
      expect(a).toBe(b);
      expect(withA).not.toBe(withB);
      expect(withA).not.toBe(a);
    });

    it('should train on its images too if it is joined', async () => {
      const root = await written({ 'val/cat/v.png': 50, 'val/dog/v.png': 51 });
      const { train, validation, fingerprint } = await open(root, { validation: { folder: 'val', joined: true } });
      expect(validation).toBeUndefined();
      expect(await contents(train)).toEqual([
        [10, 0],
        [11, 0],
        [20, 1],
        [50, 0],
        [51, 1],
      ]);
      expect(fingerprint).toBe((await open(root, folder)).fingerprint);
    });

    it.each([
      ['that is missing', {}, {}, 'there is no folder val in'],
      ['in the training folder', {}, { validation: { folder: 'train/cat' } }, 'the validation folder train/cat is in'],
      [
        'other than that of data.splits',
        { 'val/cat/v.png': 50, 'val/dog/v.png': 51, 'c/cat/v.png': 1 },
        { splits: { train: 'train', validation: 'c' } },
        'data.splits.validation is c, and data.validation.folder is val',
      ],
      ['without class folders', { 'val/v.png': 50 }, {}, 'has class folders and'],
    ])('should refuse a folder %s', async (_what, files: Record<string, number>, options, message) => {
      const opening = open(await written(files), { ...folder, ...options });
      await expect(opening).rejects.toThrow(UsageError);
      await expect(opening).rejects.toThrow(message);
    });
  });

  it('should be train/ and val/ of ImageNet as it is shipped, whose test/ has no classes', async () => {
    const root = await written({ 'val/cat/v.png': 50, 'val/dog/v.png': 51, test: null, 'test/t.png': 60 });
    const { train, test, classes, remarks } = await open(root);
    expect([await values(train), await values(test), classes]).toEqual([
      [10, 11, 20],
      [50, 51],
      ['cat', 'dog'],
    ]);
    expect(remarks).toEqual(['test/ is not used: it has no class folders', 'val/ is the test set']);
  });

  it('should leave the test set empty if there is none, or none with classes', async () => {
    expect((await open(await written({ test: null }))).test).toHaveLength(0);
    const { test, remarks } = await open(await written({ test: null, 'test/t.png': 60 }));
    expect(test).toHaveLength(0);
    expect(remarks).toEqual(['test/ is not used: it has no class folders']);
  });

  it('should have no classes if images are not in folders', async () => {
    const flat = { train: null, test: null, 'train/b.png': 2, 'train/a.png': 1, 'test/t.png': 3 };
    const { train, test, classes } = await open(await written(flat));
    expect([await values(train), await values(test), classes]).toEqual([[1, 2], [3], []]);
  });

  it('should be all images of a folder without train/', async () => {
    const root = await write(await folderFor(), { 'b.png': 2, 'a.png': 1 });
    const { train, test, classes, remarks } = await open(root);
    expect([await values(train), test.length, classes]).toEqual([[1, 2], 0, []]);
    expect(remarks).toEqual([`no train/: all images of ${root} are training images`]);
  });

  it('should have no classes with labels: none, in whichever folders images are', async () => {
    const root = await write(await folderFor(), { '2019/may/b.png': 2, '2020/a.png': 3, 'c.png': 1 });
    const { train, classes } = await open(root, { labels: 'none' });
    expect([await values(train), classes]).toEqual([[2, 3, 1], []]);
  });

  it('should have the same fingerprint under any name, and another one for other images', async () => {
    const one = await written();
    const other = await written({ test: null, 'eval/dog/x.png': 21, 'eval/cat/y.png': 12 });
    const { fingerprint } = await open(one);
    expect((await open(other, { splits: { train: 'train', test: 'eval' } })).fingerprint).toBe(fingerprint);
    expect((await open(other, { splits: { train: 'eval', test: 'train' } })).fingerprint).not.toBe(fingerprint);
    expect((await open(other, { splits: { train: 'train' } })).fingerprint).not.toBe(fingerprint);
  });

  it.each([
    ['is missing', { train: 'train', test: 'exam' }, /there is no folder exam in .*correct data\.splits/],
    ['contains another one', { train: '.', test: 'test' }, /the test folder test is in the train folder \./],
    ['is another one', { train: 'train', test: 'train' }, /is in the \w+ folder/],
    ['has no classes and train has', { train: 'train', test: 'flat' }, /train has class folders and .*flat has none/],
  ])('should be refused if one %s', async (_what, splits, message) => {
    const opening = open(await written({ 'flat/a.png': 1 }), { splits });
    await expect(opening).rejects.toThrow(UsageError);
    await expect(opening).rejects.toThrow(message);
  });

  it.each(['/etc', '../elsewhere', 'a/../../b', 'C:\\data', ''])('should not be outside of the data: %s', (train) => {
    const keys = { name: 'image-folder', path: 'data', splits: { train } };
    expect(imageFolder.schema.safeParse(keys).success).toBe(false);
  });
});

describe('what an image folder ignores', () => {
  it('should be counted by reason, for each split', async () => {
    const root = await written({
      'train/cat/notes.txt': 'a',
      'train/dog/more.TXT': 'b',
      'train/cat/scan.tiff': 'II*',
      'train/.DS_Store': 'x',
      'train/loose.png': 1,
      'test/cat/.hidden.png': 2,
      'elsewhere/z.png': 30,
    });
    await symlink(join(root, 'elsewhere'), join(root, 'train/cat/folder.png'));
    execFileSync('mkfifo', [join(root, 'train/cat/pipe.png')]);
    const { train, remarks } = await open(root);
    expect(train).toHaveLength(3);
    expect(remarks).toEqual([
      'ignored in train/: 2 × .txt (cat/notes.txt, …), 1 × .tiff (cat/scan.tiff), 1 × hidden (.DS_Store), ' +
        '1 × image beside the class folders (loose.png), 1 × link to a folder (cat/folder.png), ' +
        '1 × pipe, socket or device (cat/pipe.png)',
      'ignored in test/: 1 × hidden (cat/.hidden.png)',
    ]);
  });

  it('should be said of images that trainImages leaves out', async () => {
    expect((await open(await written(), { trainImages: 2 })).remarks).toEqual(['trainImages: 2 of 3 images are used']);
  });
});

describe('a file that is not what its name says', () => {
  it('should be decoded by its content', async () => {
    const root = await written();
    await writeFile(
      join(root, 'train/cat/a.png'),
      await sharp(await png(99))
        .jpeg()
        .toBuffer(),
    );
    expect(await (await open(root)).train.sample(0)).toMatchObject({ image: { height: 4 } });
  });

  it.each([
    ['an SVG drawing', '<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"/>'],
    ['a TIFF image', 'II*\0aaaaaaaa'],
    ['an HEIF image (a HEIC photo)', '\0\0\0\x18ftypheic\0\0\0\0mif1heic'],
    ['a web page (HTML)', '<!DOCTYPE html><html></html>'],
    ['no image of a known format', 'photo'],
  ])('should be named: %s', async (what, content) => {
    const { train } = await open(await written({ 'train/cat/a.png': content }));
    await expect(train.sample(0)).rejects.toThrow(`a.png cannot be decoded (it is ${what}, and JPEG, PNG`);
  });
});

describe('a damaged file', () => {
  const { file } = (
    JSON.parse(readFileSync('test/data/fixtures/decode.json', 'utf8')) as { cases: Record<string, { file: string }> }
  ).cases['jpeg-cut-and-closed']!;

  const damaged = async (): Promise<string> => {
    const root = await written();
    await writeFile(join(root, 'train/cat/a.png'), Buffer.from(file, 'base64'));
    return root;
  };

  it('should be used and named once', async () => {
    const root = await damaged();
    const { train, test } = await open(root);
    expect(await train.read(0)).toMatchObject({ image: { height: 64, width: 96 } });
    await train.subset([0]).read(0);
    await train.read(1);
    expect([train.damaged, train.corrupt, test.damaged]).toEqual([[join(root, 'train/cat/a.png')], [], []]);
  });

  it('should be passed over with damaged: skip', async () => {
    const { train } = await open(await damaged(), { damaged: 'skip' });
    expect(await train.read(0)).toBeNull();
    expect([train.damaged, train.corrupt.length]).toEqual([[], 1]);
  });

  it('should stop the stage with damaged: fail, with the remedy', async () => {
    const { train } = await open(await damaged(), { damaged: 'fail' });
    await expect(train.read(0)).rejects.toThrow(/a\.png is damaged \(.*premature end.*data\.damaged: use or skip/);
  });
});

describe('a corrupt file', () => {
  const broken = () => written({ 'train/cat/b.png': 'not a PNG', 'train/cat/c.png': 14 });

  it('should stop the stage with its name and the remedy', async () => {
    const { train } = await open(await broken());
    expect((await train.sample(0)).target).toBe(0);
    await expect(train.sample(1)).rejects.toThrow(TrainingError);
    await expect(train.sample(1)).rejects.toThrow(
      /train.cat.b\.png cannot be decoded.*remove or replace it.*data\.corrupt: skip/s,
    );
  });

  it('should be passed over and named once, with corrupt: skip', async () => {
    const root = await broken();
    const { train, test } = await open(root, { corrupt: 'skip' });
    expect(train.corrupt).toEqual([]);
    expect(await Promise.all([train.read(1), train.read(1)])).toEqual([null, null]);
    expect(await contents(train)).toEqual([
      [10, 0],
      [14, 0],
      [14, 0],
      [20, 1],
    ]);
    expect(train.corrupt).toEqual([join(root, 'train/cat/b.png')]);
    expect(test.corrupt).toEqual([]);
  });

  it('should be stood in for by an image with its own label, across classes', async () => {
    const { train } = await open(await written({ 'train/cat/b.png': 'not a PNG' }), { corrupt: 'skip' });
    expect(train.labels[1]).toBe(0);
    expect(await train.sample(1)).toMatchObject({ target: 1 });
  });

  it('should be passed over if it is empty', async () => {
    const { train } = await open(await written({ 'train/cat/b.png': '' }), { corrupt: 'skip' });
    expect(await train.read(1)).toBeNull();
  });

  it('should be passed over if it is a link that leads nowhere', async () => {
    const root = await written();
    await symlink(join(root, 'gone.png'), join(root, 'train/cat/link.png'));
    const { train, remarks } = await open(root, { corrupt: 'skip' });
    expect(remarks).toEqual([`passed over: ${join(root, 'train/cat/link.png')} (a link that leads nowhere)`]);
    expect(train).toHaveLength(4);
    expect(await train.read(2)).toBeNull();
    expect(train.corrupt).toEqual([join(root, 'train/cat/link.png')]);
  });

  it('should not be confused with a pipe that came in its place', async () => {
    const root = await written();
    const { train } = await open(root, { corrupt: 'skip' });
    await rm(join(root, 'train/cat/a.png'));
    execFileSync('mkfifo', [join(root, 'train/cat/a.png')]);
    await expect(train.sample(0)).rejects.toThrow(/a\.png cannot be read \(it is not a regular file\)/);
  });

  it('should fail the stage if its class has no other, with the class and the file', async () => {
    const root = await written({ 'test/dog/x.png': '', 'test/cat/z.png': 13 });
    const { test } = await open(root, { corrupt: 'skip' });
    const reading = test.read(2);
    await expect(reading).rejects.toThrow(TrainingError);
    await expect(reading).rejects.toThrow(`no image of class dog can be decoded (${join(root, 'test/dog/x.png')})`);
  });

  it('should not be confused with a file that has gone', async () => {
    const root = await written();
    const { train } = await open(root, { corrupt: 'skip' });
    await rm(join(root, 'train/cat/a.png'));
    await expect(train.sample(0)).rejects.toThrow(TrainingError);
    await expect(train.sample(0)).rejects.toThrow(/a\.png cannot be read/);
  });
});

describe('the cache of decoded images', () => {
  const image = (bytes: number) => ({ data: new Uint8Array(bytes), height: 1, width: bytes / 3 });

  it('should keep images up to its budget, and count every one', () => {
    const cache = new ImageCache(100);
    for (const [path, bytes] of [
      ['a', 60],
      ['b', 60],
      ['c', 30],
      ['d', 30],
      ['e', 9],
    ] as const) {
      cache.keep(path, image(bytes));
    }
    expect(['a', 'b', 'c', 'd', 'e'].filter((path) => cache.get(path) !== undefined)).toEqual(['a', 'c', 'e']);
  });

  it('should count an image once that is kept twice', () => {
    const cache = new ImageCache(100);
    cache.keep('a', image(60));
    cache.keep('a', image(60));
    cache.keep('b', image(39));
    expect(cache.get('b')).toBeDefined();
  });

  it('should keep a copy of pixels that are lent, and give them back', () => {
    let released = 0;
    const lent = { ...image(30), release: () => (released += 1) };
    const cache = new ImageCache(100);
    const kept = cache.keep('a', lent);
    lent.data.fill(7);
    expect([kept.data[0], cache.get('a') === kept, released]).toEqual([0, true, 1]);
  });

  it('should not change borrowed pixels if it has no room', () => {
    let released = false;
    const lent = { ...image(120), release: () => void (released = true) };
    expect(new ImageCache(100).keep('a', lent)).toBe(lent);
    expect(released).toBe(false);
  });
});
