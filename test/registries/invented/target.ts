/** A target that is no pixels: a histogram of the brightness of each patch. */
import * as tf from '@tensorflow/tfjs';
import { openDevice } from '../../../src/backends/open.js';
import type * as composing from '../../../src/objectives/compose.js';
import type { PretrainConfig } from '../../../src/spec/stages.js';
import type * as tasks from '../../../src/spec/task.js';
import type { Task } from '../../../src/spec/task.js';
import type * as exporting from '../../../src/weights/export/files.js';
import { planOf } from '../../runner/support.js';
import { examplesOf, GEOMETRIES, read, taskOf } from '../../objectives/support.js';
import type { Invented } from '../support.js';
import { planIn, reportIn, TINY } from './sweeps.js';

const TEXT = `
import type { TargetEntry } from '../entry.js';

const BINS = 4;

export const histogram: TargetEntry<'histogram'> = {
  name: 'histogram',
  description: 'a histogram of each channel',
  width: () => 3 * BINS,
  compute({ tf, ops }, images, patchSize) {
    const patches = ops.patchify(images, patchSize);
    const [batch, tokens] = patches.shape;
    const values = tf.reshape(patches, [batch, tokens, patchSize ** 2, 3]);
    const bins = tf.clipByValue(tf.floor(tf.mul(values, BINS)), 0, BINS - 1);
    const shares = Array.from({ length: BINS }, (_, bin) => tf.mean(tf.cast(tf.equal(bins, bin), 'float32'), 2));
    return tf.sub(tf.concat(shares, 2), 1 / BINS);
  },
};
`;

export const target: Invented = {
  title: 'target of another width',
  file: { path: 'src/task/targets/histogram.ts', text: TEXT },
  listed: {
    path: 'src/task/targets/index.ts',
    import: "import { histogram } from './histogram.js';",
    after: '  none: pixels,',
    entry: '  histogram,',
  },
  tests(copy) {
    it('is a value of pretrain.target', async () => {
      const { jobs } = await planIn(copy, 'grid: {pretrain.target: [patch, histogram]}');
      expect(jobs.map(({ task }) => task!.target)).toEqual(['patch', 'histogram']);
    });

    it.each(Object.entries(GEOMETRIES))('is compared in every geometry: %s', async (_, moved) => {
      const { composeObjective } = await copy.load<typeof composing>('objectives/compose');
      const { targetEntry } = await copy.load<typeof tasks>('spec/task');
      const ops = await copy.load<typeof import('../../../src/ops/index.js')>('ops/index');
      const device = await openDevice('cpu');
      const task = taskOf({ maskRatio: 0.5, geometry: moved, target: 'histogram' as Task['target'] });
      const objective = composeObjective(task, { imageSize: 16, patchSize: 4 });
      expect(objective.outputs).toBe(12);
      const batch = objective.batch(examplesOf(objective, 2));
      const [zero] = read(() => objective.zeroLoss(batch));
      const [perfect] = read(() =>
        batch.loss(targetEntry(task.target).compute({ tf, ops }, objective.picture(batch), 4)),
      );
      // The largest error of zero is that of a patch with all values in one of four bins: (.75² + 3 · .25²) / 4.
      expect(zero).toBeGreaterThan(0.01);
      if (moved.kind === 'zoomed-in' && moved.loss === 'centre-border') {
        expect(zero).toBeLessThan(1.6 * 0.1875); // the weights of the centre and of four border strips
        expect(perfect).toBeLessThan(zero!); // the input has other patches than the picture
      } else {
        expect(zero).toBeLessThanOrEqual(0.1875);
        expect(perfect).toBeCloseTo(0, 6);
      }
      batch.dispose();
      device.close();
    });

    it('is not exported as pixels, even if it has as many values', async () => {
      const { exportFiles } = await copy.load<typeof exporting>('weights/export/files');
      const { model, task } = planOf('job: {objective: masked, model: {patchSize: 2, classToken: true}}').stages[0]!
        .config as PretrainConfig;
      const exported = (target: string) =>
        exportFiles('hf', {
          kind: 'pretrained',
          model,
          task: { ...task, target: target as Task['target'] },
          weights: new Map(),
        });
      expect(() => exported('histogram')).toThrow(
        "the decoder predicts histogram, and MAE's predict pixels; export the encoder by --weights timm",
      );
      expect(exported('patch').json['config.json']).toMatchObject({ norm_pix_loss: true });
    });

    it('is a setting of the tables', async () => {
      const yaml = `job: ${TINY}\ngrid: {objective: masked, pretrain.target: [none, histogram], seed: [0, 1]}`;
      const { rows } = await reportIn(copy, 'targets', yaml, ({ seed }) => 40 + seed);
      const own = rows('efficiency').filter(({ objective, n }) => objective === 'masked' && n === '2');
      expect(own.map(({ setting }) => setting)).toEqual(['pretrain.target=none', 'pretrain.target=histogram']);
      // The decoder's last product: 16 tokens, 12 inputs, and 48 or 12 values.
      expect(Number(own[0]!.flops_per_image) - Number(own[1]!.flops_per_image)).toBe(2 * 16 * 12 * (48 - 12));
    });
  },
};
