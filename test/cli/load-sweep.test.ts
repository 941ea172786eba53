import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { planSweep } from '../../src/cli/load-sweep.js';
import { UsageError } from '../../src/common/errors.js';
import { readSweep } from '../../src/spec/sweep.js';
import { ownCache, temporaryFolders } from '../data/fixture.js';

ownCache();
const folderFor = temporaryFolders();

async function folderWith(...names: string[]): Promise<string> {
  const root = await folderFor();
  for (const name of names) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), name); // planning reads bytes and decodes none
  }
  return root;
}

/** Plans a sweep over these data, and returns what is printed of them with the kinds of the stages. */
async function planned(data: object, evaluate: string[] = ['finetune']) {
  const told: string[] = [];
  const sweep = readSweep(JSON.stringify({ job: { data, evaluate } }), { file: 'a.yaml', defaultName: 'a' });
  const { stages } = await planSweep(sweep, undefined, (line) => told.push(line));
  return { told, kinds: stages.map(({ config }) => config.kind) };
}

const folder = (path: string, keys: object = {}) => ({ name: 'image-folder', path, ...keys });

describe('a plan', () => {
  it('says the images and classes of each split, and what was ignored', async () => {
    const names = ['train/cat/a.png', 'train/dog/b.png', 'train/dog/c.tif', 'val/cat/d.png', 'val/dog/e.png'];
    const root = await folderWith(...names, 'extra/cat/f.png', 'extra/dog/g.png', 'extra/dog/h.png');
    expect((await planned(folder(root))).told).toEqual([
      `data image-folder ${root}: train 2 images of 2 classes; test 2 images of 2 classes`,
      '  val/ is the test set',
      '  ignored in train/: 1 × .tif (dog/c.tif)',
    ]);
    const splits = { train: 'train', test: 'val', validation: 'extra' };
    expect((await planned(folder(root, { splits, trainImages: 1 }))).told).toEqual([
      `data image-folder ${root}: train 1 image of 1 class; test 2 images of 2 classes`,
      '  extra/ is not read: data.validation: { folder: extra } makes it the validation split',
      '  ignored in train/: 1 × .tif (dog/c.tif)',
      '  trainImages: 1 of 2 images are used',
    ]);
    expect((await planned({ name: 'shapes' })).told).toEqual([
      'data shapes: train 4,000 images of 10 classes; test 1,000 images of 10 classes',
    ]);
  });

  it('has only pre-training on images without classes and without a test set', async () => {
    const root = await folderWith('a.png', 'b.png');
    expect(await planned(folder(root), [])).toEqual({
      told: [
        `data image-folder ${root}: train 2 images without classes; test none`,
        `  no train/: all images of ${root} are training images`,
      ],
      kinds: ['pretrain'],
    });
  });

  it.each([
    ['images without classes', ['train/a.png', 'test/b.png'], 'finetune needs classes of images, and the images of'],
    ['no test set', ['train/cat/a.png'], 'finetune measures on a test set, and image-folder has none'],
    ['a test set without classes', ['train/cat/a.png', 'test/b.png'], 'finetune measures on a test set'],
  ])('is refused for an evaluation with %s, with the remedy', async (_what, names, message) => {
    const planning = planned(folder(await folderWith(...names)));
    await expect(planning).rejects.toThrow(UsageError);
    await expect(planning).rejects.toThrow(message);
    await expect(planning).rejects.toThrow('set evaluate: [] to pre-train only');
  });

  it('is refused for more tokens than an attentive probe may keep, counting the images that it trains on', async () => {
    const planning = (train: string) => {
      const sweep = readSweep(
        `job:
  data: { name: shapes, imageSize: 224, trainImages: 950, testImages: 5000, validation: 0.1 }
  model: { patchSize: 4, dim: 768, heads: 12, depth: 1 }
  objective: scratch
  evaluate: [attentive]
select: { by: attentive, over: { attentive.weightDecay: [0.1, 0.2] }, seeds: [100], train: ${train} }`,
        { file: 'a.yaml', defaultName: 'a' },
      );
      return planSweep(sweep, undefined, () => undefined);
    };
    // 3136 tokens of 768 values take 9.6 MB: 891 images fit, 855 without the validation images among them.
    await expect(planning('train')).resolves.toMatchObject({ name: 'a' });
    await expect(planning('train+validation')).rejects.toThrow('950 images take 8.5 GiB, and it may use 8.0 GiB');
  });
});
