/** `vitmim preview` through the real executable. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { temporaryFolder, vitmim } from '../support/cli.js';
import { planIn } from '../support/plan.js';

const folder = temporaryFolder();
const photo = join(folder.path, 'photo.png');
const file = (name: string): string => join(folder.path, name);

beforeAll(async () => {
  const gradient = Buffer.from(Array.from({ length: 60 * 40 * 3 }, (_, i) => (i * 7) % 256));
  writeFileSync(
    photo,
    await sharp(gradient, { raw: { width: 60, height: 40, channels: 3 } })
      .png()
      .toBuffer(),
  );
});
afterAll(() => {
  folder.remove();
});

describe('preview', () => {
  it('draws a row for each objective and a column for each panel', async () => {
    const args = ['masked', 'masked+zoomed-in', '--image', photo, '--image-size', '32', '--patch-size', '4'];
    const { code, stderr } = await vitmim(['preview', ...args, '--out', file('a.png'), '--npy', file('a.npy')]);
    expect(code).toBe(0);
    expect(stderr).toContain('row 2: masked+zoomed-in');
    const { format, width, height } = await sharp(file('a.png')).metadata();
    expect(format).toBe('png');
    expect(width).toBeGreaterThan(height);
    const header = readFileSync(file('a.npy')).toString('latin1', 0, 128);
    expect(header).toContain('(2, 4, 32, 32, 3)');
  });

  it('gives the same draws for the same seed, others for another', async () => {
    const args = ['preview', 'distorted', '--image', photo, '--image-size', '32', '--patch-size', '4'];
    for (const [name, seed] of [
      ['b', '5'],
      ['c', '5'],
      ['d', '6'],
    ] as const) {
      const { code } = await vitmim([
        ...args,
        '--out',
        file(`${name}.png`),
        '--npy',
        file(`${name}.npy`),
        '--seed',
        seed,
      ]);
      expect(code).toBe(0);
    }
    expect(readFileSync(file('b.npy')).equals(readFileSync(file('c.npy')))).toBe(true);
    expect(readFileSync(file('b.npy')).equals(readFileSync(file('d.npy')))).toBe(false);
  });

  it('draws every task of a spec once, on generated images by default', async () => {
    const spec = file('spec.yaml');
    writeFileSync(spec, 'grid: { objective: [scratch, masked, identity], maskRatio: [0.5, 0.75] }\n');
    const { code, stderr } = await vitmim(['preview', spec, '--out', file('e.png')]);
    expect(code).toBe(0);
    expect(stderr.match(/^row/gm)).toHaveLength(2);
  });

  it('shows what a pre-trained model reconstructs', async () => {
    const spec = file('train.yaml');
    writeFileSync(
      spec,
      `job:
  data: { name: shapes, imageSize: 16, trainImages: 16, testImages: 10 }
  model: { dim: 8, depth: 1, heads: 2, decoder: { dim: 8, depth: 1, heads: 2 } }
  pretrain: { epochs: 1, batchSize: 8, warmupEpochs: 0 }
  evaluate: [knn]
`,
    );
    const out = file('out');
    expect((await vitmim(['sweep', spec, '--out', out, '--device', 'simd'])).code).toBe(0);
    const plan = planIn(out);
    const checkpoint = join(out, 'stages', plan.stages[0]!.id);
    const { code } = await vitmim([
      'preview',
      '--checkpoint',
      checkpoint,
      '--image',
      photo,
      '--out',
      file('f.png'),
      '--npy',
      file('f.npy'),
      '--device',
      'simd',
    ]);
    expect(code).toBe(0);
    expect(readFileSync(file('f.npy')).toString('latin1', 0, 128)).toContain('(1, 5, 16, 16, 3)');
  });

  it.each([
    ['an objective it does not know', ['mask', '--image', photo], 'masked'],
    ['an image that is none', ['masked', '--image', 'package.json'], 'package.json cannot be decoded'],
    ['a folder without a checkpoint', ['masked', '--checkpoint', '.'], 'holds no pre-training'],
    ['scratch', ['scratch', '--image', photo], 'no pre-training to show'],
  ])('refuses %s', async (_name, args, message) => {
    const { code, stderr } = await vitmim(['preview', ...args, '--out', file('never.png')]);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(existsSync(file('never.png'))).toBe(false);
  });
});
