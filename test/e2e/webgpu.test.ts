/**
 * Device webgpu through the real executable: whole sweeps, of the smoke spec and on real photographs, come to the losses
 * of device simd, and their processes end by themselves.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { StageResult } from '../../src/store/records.js';
import { temporaryFolder, vitmim } from '../support/cli.js';
import { availableDevices } from '../support/devices.js';

const folder = temporaryFolder();
afterAll(() => {
  folder.remove();
});

/** The results of all stages of a sweep, by stage. Stages are called the same on every device. */
async function sweep(spec: string, settings: readonly string[], device: string): Promise<Map<string, StageResult>> {
  const out = join(folder.path, device, spec.replaceAll('/', '-'));
  const { code, stderr } = await vitmim(['sweep', spec, ...settings, '--out', out, '--device', device]);
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  const stages = join(out, 'stages');
  return new Map(
    readdirSync(stages).map((stage) => {
      return [stage, JSON.parse(readFileSync(join(stages, stage, 'result.json'), 'utf8')) as StageResult];
    }),
  );
}

/** The losses of all epochs of pre-training, and the last one of fine-tuning. */
const lossesOf = (result: StageResult): number[] => {
  if (result.kind === 'pretrain') return result.losses;
  return result.kind === 'finetune' ? [result.loss] : [];
};

async function expectEqualLosses(spec: string, settings: readonly string[], stages: number): Promise<void> {
  const expected = await sweep(spec, settings, 'simd');
  const found = await sweep(spec, settings, 'webgpu');
  expect([...found.keys()]).toEqual([...expected.keys()]);
  expect(found.size).toBe(stages);
  for (const [stage, result] of expected) {
    const losses = lossesOf(found.get(stage)!);
    lossesOf(result).forEach((loss, i) => {
      expect(Math.abs(losses[i]! / loss - 1)).toBeLessThan(1e-3);
    });
  }
}

const here = (await availableDevices()).includes('webgpu');

// test/training/agreement.test.ts compares the devices for every objective.
(here ? it : it.skip)('the smoke sweep, of three objectives and two epochs of pre-training', async () => {
  const smoke = fileURLToPath(new URL('../../../experiments/smoke.yaml', import.meta.url));
  const settings = [
    'grid.objective=[scratch, zoomed-out, masked+zoomed-in]',
    'job.pretrain.epochs=2',
    'job.data={trainImages: 128, testImages: 64}',
    'job.finetune.epochs=2',
  ];
  await expectEqualLosses(
    smoke,
    [...settings, 'job.pretrain.warmupEpochs=1'].flatMap((set) => ['--set', set]),
    5,
  );
});

const { VITMIM_TEST_IMAGES: images, VITMIM_REQUIRE_IMAGES: required } = process.env;
const photographs = here && (images !== undefined || required === '1');

(photographs ? it : it.skip)('a pre-training and a fine-tuning on CIFAR-10', async () => {
  if (images === undefined) throw new Error('VITMIM_TEST_IMAGES is to name a folder with cifar10-jpeg.tar.gz');
  const data = join(folder.path, 'cifar10');
  mkdirSync(data);
  const members = ['train/cat', 'train/ship', 'test/cat', 'test/ship'].map((name) => `${name}/00[0-3]*`);
  execFileSync('tar', ['-xzf', join(images, 'cifar10-jpeg.tar.gz'), '-C', data, '--wildcards', ...members]);
  const spec = join(folder.path, 'cifar10.yaml');
  writeFileSync(
    spec,
    `job:
  data: { name: image-folder, imageSize: 32, path: ${data} }
  model: { dim: 32, depth: 2, heads: 2, decoder: { dim: 16, depth: 1, heads: 2 } }
  pretrain: { epochs: 2, warmupEpochs: 1, batchSize: 16 }
  finetune: { epochs: 1, warmupEpochs: 0, batchSize: 16 }
  evaluate: [finetune]
grid: { objective: [masked+zoomed-in] }
`,
  );
  await expectEqualLosses(spec, [], 2);
});
