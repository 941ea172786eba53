/** An evaluation with two metrics: pixels are classified by their brightness, and nothing is trained. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Copy, Invented } from '../support.js';

const TEXT = `
import { z } from 'zod';
import { defineEvaluation } from './evaluation.js';
import { PERCENT } from './fields.js';

export const brightness = defineEvaluation({
  name: 'brightness',
  title: 'brightness',
  needs: 'mask',
  trains: 'nothing',
  recipe: z.strictObject({ level: z.number().default(128).describe('Pixels above it are foreground.') }),
  metrics: {
    meanIou: {
      schema: z.number(), label: 'mean IoU', title: 'Mean IoU', name: 'mean IoU', description: 'Over classes.',
      unit: null, digits: 4, better: 'higher', tag: 'brightness/mean-iou',
    },
    pixelAccuracy: {
      schema: z.number(), label: 'pixel accuracy', title: 'Pixel accuracy', name: 'pixel accuracy',
      description: 'Share of right pixels.', unit: PERCENT, digits: 2, better: 'higher', tag: 'brightness/accuracy',
    },
  },
  numbers: {},
  flops: () => 0,
  async run({ recipe }, { dataset, device, emit }) {
    emit({ type: 'started', device, steps: 0, fromStep: 0 });
    const counts = { right: 0, pixels: 0, both: [0, 0], either: [0, 0] };
    for (let i = 0; i < dataset.test.length; i++) {
      const { image, target } = await dataset.test.sample(i);
      target.data.forEach((own, at) => {
        const found = image.data[3 * at]! > recipe.level ? 1 : 0;
        counts.pixels += 1;
        if (found === own) counts.right += 1;
        for (const c of [0, 1]) {
          if (found === c && own === c) counts.both[c]! += 1;
          if (found === c || own === c) counts.either[c]! += 1;
        }
      });
    }
    const iou = [0, 1].map((c) => counts.both[c]! / counts.either[c]!);
    return {
      kind: 'brightness' as const, epochs: 0, steps: 0, imagesPerSecond: null, seconds: 0, corruptImages: [],
      meanIou: (iou[0]! + iou[1]!) / 2, pixelAccuracy: (100 * counts.right) / counts.pixels,
      testImages: dataset.test.length, trainImages: dataset.train.length,
    };
  },
});
`;

const SPEC = `name: invented
job:
  data: { name: halves, imageSize: 16, trainImages: 24, testImages: 8 }
  model: { dim: 8, depth: 1, heads: 2, decoder: { dim: 8, depth: 1, heads: 2 } }
  pretrain: { epochs: 2, warmupEpochs: 1, batchSize: 8, baseLearningRate: 1.0e-6, invert: 1 }
  brightness: { level: 128 }
  evaluate: EVALUATIONS
grid: { objective: [OBJECTIVES], seed: [0] }
`;

/** The results folder of the sweep, in the copy's. */
export const RESULTS = 'invented';

/** Writes a spec on the invented data set into the copy's folder, and returns its path. */
export function writeMaskSpec(
  { folder }: Copy,
  name: string,
  evaluations: string,
  objectives = 'scratch, masked',
): string {
  const path = join(folder, `${name}.yaml`);
  writeFileSync(path, SPEC.replace('EVALUATIONS', evaluations).replace('OBJECTIVES', objectives));
  return path;
}

export const evaluation: Invented = {
  title: 'evaluation',
  file: { path: 'src/stages/brightness.ts', text: TEXT },
  listed: {
    path: 'src/stages/index.ts',
    import: "import { brightness } from './brightness.js';",
    after: '  segment,',
    entry: '  brightness,',
  },
  tests(copy) {
    it('is found wherever kinds of stages and metrics appear', async () => {
      const spec = writeMaskSpec(copy, 'invented', '[brightness, share]');
      const results = join(copy.folder, RESULTS);
      const plan = await copy.vitmim('sweep', spec, '--out', results, '--dry-run');
      expect(plan).toContain('brightness masked');

      const progress = await copy.vitmim('sweep', spec, '--out', results, '--device', 'cpu', '--jobs', '1');
      expect(progress).toContain('1 pretrain, 2 brightness, 2 share to run');
      expect(progress).toMatch(/brightness masked: mean IoU 1\.0000 in/);

      expect(await copy.vitmim('status', results)).toMatch(/^brightness +2$/m);

      const report = await copy.vitmim('report', results, '--allow-unhealthy');
      expect(report).toContain('Mean IoU (brightness on halves), over seeds');
      const options = ['--metric', 'brightness.pixelAccuracy', '--allow-unhealthy'];
      const other = await copy.vitmim('report', results, ...options);
      expect(other).toContain('Pixel accuracy in percent (brightness.pixelAccuracy on halves), over seeds');
      const [header] = readFileSync(join(results, 'tables', 'runs.csv'), 'utf8').split('\r\n');
      for (const key of [
        'brightness_mean_iou',
        'brightness_pixel_accuracy',
        'brightness_test_images',
        'brightness_stage',
      ]) {
        expect(header!.split(',')).toContain(key);
      }
      expect(await copy.vitmim('completion', 'bash')).toContain('brightness.pixelAccuracy');
      expect(await copy.vitmim('schema')).toContain('"brightness"');
    });

    it('refuses a data set that does not provide what it needs', async () => {
      const refusal = copy.vitmim('plan', writeMaskSpec(copy, 'refused', '[knn]'));
      await expect(refusal).rejects.toThrow(
        'knn needs classes of images, and the data set halves provides classes of pixels',
      );
    });
  },
};
