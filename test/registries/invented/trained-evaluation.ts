/**
 * An evaluation that trains all weights, with a head, an optimiser, a picture and corruptions of its own. The sweep of the
 * invented evaluation runs it.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { readSafetensorsHeader } from '../../../src/store/safetensors.js';
import { sweepPaths } from '../../../src/store/layout.js';
import type { Plan } from '../../../src/spec/stages.js';
import type { CostEstimate } from '../../../src/cli/estimate.js';
import type * as exporting from '../../../src/weights/export/source.js';
import type { Invented } from '../support.js';
import { RESULTS, writeMaskSpec } from './evaluation.js';

/** The first bytes of a PNG file of 8 × 8 pixels. */
const PICTURE = '89504e470d0a1a0a0000000d49484452000000080000000800000000000000000000';

const TEXT = `
import { writeFileSync } from 'node:fs';
import { z } from 'zod';
import { CORRUPTION_NAMES } from '../data/corruptions/index.js';
import type { EncoderConfig } from '../spec/model.js';
import { defineEvaluation } from './evaluation.js';
import { MEAN_ERROR } from './robustness.js';

const headShape = ({ dim }: EncoderConfig) => [dim, 3];

export const share = defineEvaluation({
  name: 'share',
  title: 'share',
  needs: 'mask',
  trains: 'all weights',
  checkpoint: ({ model }, _classes, { parameterShapes }) => ({
    shapes: new Map([...parameterShapes(model, { for: 'encoding' }), ['share.weight', headShape(model)]]),
    groups: 1,
  }),
  exports: false,
  recipe: z.strictObject({ epochs: z.int().default(2), batchSize: z.int().default(10) }),
  metrics: { meanError: MEAN_ERROR },
  numbers: {},
  details: { errors: { schema: z.record(z.string(), z.number()) } },
  flops: (_config, { train, steps, test }) => 1e6 * train + 1e3 * steps + test,
  picture: { title: 'Shares', description: 'Images and their shares.', columns: 'image and share' },
  corruptions: { model: 'share of pixels', measured: () => true, keyOf: (name) => 'errors.' + name },
  async run({ model, seed }, context) {
    const [{ initialValues }, { loopContext, openState }, { disposeState }, { sgd }] = await Promise.all([
      import('../model/parameters.js'),
      import('../training/stage-context.js'),
      import('../training/state.js'),
      import('../training/optimizers/sgd.js'),
    ]);
    context.emit({ type: 'started', device: context.device, steps: 0, fromStep: 0 });
    const head = { shape: headShape(model), data: new Float32Array(3 * model.dim) };
    const initial = () => new Map([...initialValues(model, { for: 'encoding' }, seed), ['share.weight', head]]);
    const shapes = new Map([...initial()].map(([name, { shape }]) => [name, shape]));
    const options = { depth: model.depth, layerDecay: 1, weightDecay: 0, optimizers: [sgd({ momentum: 0.9 })] };
    const state = openState(context, { shapes, initial, epochs: 1, stepsPerEpoch: 1 }, options);
    await loopContext(context, state).save();
    disposeState(state);
    writeFileSync(context.paths.preview, Buffer.from('${PICTURE}', 'hex'));
    const { train, test } = context.dataset;
    return {
      kind: 'share' as const, epochs: 0, steps: 0, imagesPerSecond: null, seconds: 1, corruptImages: [],
      meanError: 60, errors: Object.fromEntries(CORRUPTION_NAMES.map((name) => [name, 40])),
      testImages: test.length, trainImages: train.length,
    };
  },
});
`;

export const trainedEvaluation: Invented = {
  title: 'evaluation that trains all weights',
  file: { path: 'src/stages/share.ts', text: TEXT },
  listed: {
    path: 'src/stages/index.ts',
    import: "import { share } from './share.js';",
    after: '  finetune,',
    entry: '  share,',
  },
  tests(copy) {
    it('has its own work in a plan and the size that its checkpoint then has, and is not exported as a classifier', async () => {
      const spec = writeMaskSpec(copy, 'share', '[share]', 'scratch');
      const printed = await copy.vitmim('plan', spec, '--json');
      const { estimate, stages } = JSON.parse(printed.slice(0, printed.lastIndexOf('}') + 1)) as Plan & {
        estimate: CostEstimate;
      };
      // 24 training images, in 2 epochs of 2 batches of 10; 8 test images, clean and by 17 corruptions at 5 severities.
      expect(estimate.flops).toBe(24e6 + 40e3 + 8 * (1 + 17 * 5));
      const { checkpoint } = sweepPaths(join(copy.folder, RESULTS)).stage(stages[0]!.id);
      const { tensors } = readSafetensorsHeader(checkpoint);
      expect(tensors.get('optimizer.velocity.share.weight')!.shape).toEqual([8, 3]);
      expect(estimate.bytes).toBe([...tensors.values()].reduce((sum, { length }) => sum + length, 0));
      const { readExportSource } = await copy.load<typeof exporting>('weights/export/source');
      expect(() => readExportSource(checkpoint, stages[0]!.config, null)).toThrow(
        'no export has the head of a share; choose a fine-tuning, or its pre-training: --kind pretrain',
      );
    });

    it('has its picture on the page, and its errors in the table of corruptions', () => {
      const page = readFileSync(join(copy.folder, RESULTS, 'report.html'), 'utf8');
      expect(page).toContain('<section id="shares"><h2>Shares</h2>');
      expect(page).toContain('alt="Rows of image and share: share: masked (mask ratio 0.75), seed 0"');
      const rows: unknown = parse(readFileSync(join(copy.folder, RESULTS, 'tables/robustness.csv')), { columns: true });
      // The pre-training of the other is not healthy.
      expect(rows).toMatchObject([
        { objective: 'scratch', model: 'share of pixels', mean_error: '60', fog: '40', negative: '40' },
        { objective: 'masked', model: 'share of pixels', unhealthy: '1' },
      ]);
    });
  },
};
