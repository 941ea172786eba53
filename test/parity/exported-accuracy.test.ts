/** A fine-tuning, exported, has its accuracy in ONNX Runtime: exported_accuracy.py on images of noise. */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import sharp from 'sharp';
import { stream } from '../../src/common/random.js';
import { openStageData } from '../../src/data/stage-data.js';
import { buildPlan } from '../../src/spec/plan.js';
import { readSweep } from '../../src/spec/sweep.js';
import { readJson, writeJson } from '../../src/store/files.js';
import { sweepPaths } from '../../src/store/layout.js';
import { keepPlan } from '../../src/store/plans.js';
import { resultSchema } from '../../src/store/records.js';
import { runStage } from '../../src/training/run-stage.js';
import { hasPackages, PYTHON, onlyIf } from '../support/capabilities.js';
import { temporaryFolder } from '../support/cli.js';

const SIZE = 8;
const [TRAIN, TEST] = [160, 300];
const CLASSES: readonly (readonly [name: string, colour: readonly number[]])[] = [
  ['blue', [100, 100, 140]],
  ['green', [100, 140, 100]],
  ['grey', [120, 120, 120]],
  ['red', [140, 100, 100]],
];

const root = temporaryFolder();
afterAll(() => {
  root.remove();
});

/** PNG files of noise around a colour, which is that of the class plus an offset: a few steps learn it, but not wholly. */
async function writeImages(folder: string): Promise<void> {
  for (const [split, count] of Object.entries({ train: TRAIN, test: TEST })) {
    for (let i = 0; i < count; i++) {
      const random = stream(3, split, i);
      const [name, colour] = CLASSES[i % CLASSES.length]!;
      const centre = colour.map((value) => value + random.normal(0, 25));
      const data = Uint8ClampedArray.from({ length: 3 * SIZE * SIZE }, (_, k) => centre[k % 3]! + random.normal(0, 40));
      const at = join(folder, split, name);
      mkdirSync(at, { recursive: true });
      await sharp(data, { raw: { width: SIZE, height: SIZE, channels: 3 } })
        .png()
        .toFile(join(at, `${i}.png`));
    }
  }
}

onlyIf(hasPackages(['onnxruntime', 'PIL'], 'VITMIM_REQUIRE_ONNX'), describe)(
  'the accuracy of an exported stage',
  () => {
    const images = join(root.path, 'images');
    const results = join(root.path, 'results');
    let result: string;

    const compare = () => {
      const script = join(process.cwd(), 'test/parity/exported_accuracy.py');
      const args = [script, results, join(images, 'test'), '--programs', 'onnx', 'half'];
      const { status, stdout, stderr } = spawnSync(PYTHON, args, { encoding: 'utf8' });
      return { status, stdout, stderr };
    };

    beforeAll(async () => {
      await tf.setBackend('cpu');
      await writeImages(images);
      const spec = `
job:
  data: { name: image-folder, path: ${images}, imageSize: ${SIZE} }
  model: { dim: 16, depth: 1, heads: 2, patchSize: 4, decoder: { dim: 8, depth: 1, heads: 2 } }
  finetune: { epochs: 6, warmupEpochs: 0, batchSize: 20, baseLearningRate: 0.05 }
  evaluate: [finetune]
grid: { objective: [scratch] }
`;
      const sweep = readSweep(spec, { file: 'exported.yaml', defaultName: 'exported' });
      const { fingerprint } = await openStageData(buildPlan(sweep, () => '').stages[0]!.config);
      const plan = buildPlan(sweep, () => fingerprint);
      keepPlan(sweepPaths(results), plan, new Date(0));
      const [stage] = plan.stages;
      const paths = sweepPaths(results).stage(stage!.id);
      await runStage(stage!, paths, {
        device: 'cpu',
        emit: () => undefined,
        signal: new AbortController().signal,
        mayWrite: () => undefined,
        checkpointEvery: Infinity,
      });
      result = paths.result;
    }, 120_000);

    it('is that of its result', () => {
      const { accuracy } = readJson(result, resultSchema) as { accuracy: number };
      // A model that ignores its images is right in 25 % of them.
      expect(accuracy).toBeGreaterThan(40);
      expect(accuracy).toBeLessThan(95);
      const { status, stdout, stderr } = compare();
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(stdout).toMatch(new RegExp(`^result.json: ${Math.round(accuracy * 3)} of ${TEST} right`));
      expect(stdout).toMatch(new RegExp(`^onnx: .* \\+0 images`, 'm'));
      expect(stdout).toMatch(/^half: /m);
    });

    it('fails the comparison if it is another one', () => {
      const right = readJson(result, resultSchema) as { accuracy: number };
      // One image of 300 is more than one in a thousand.
      writeJson(result, { ...right, accuracy: right.accuracy + 100 / TEST });
      expect(compare()).toMatchObject({
        status: 1,
        stderr: expect.stringContaining('differs by more than 0.3 images') as string,
      });
    });
  },
);
