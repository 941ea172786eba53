/** A data set that provides masks: pictures with a bright half. The invented evaluation is run on it. */
import type * as datasets from '../../../src/data/dataset.js';
import type * as schemas from '../../../src/spec/schema.js';
import type { Invented } from '../support.js';
import { writeSpec } from './sweeps.js';

const TEXT = `
import { z } from 'zod';
import { count } from '../common/values.js';
import { DATA_KEYS, defineDataset } from './entry.js';
import { sampleSplitOf } from './split.js';
import type { ClassMask } from './target.js';

export const halves = defineDataset({
  schema: z.strictObject({
    ...DATA_KEYS,
    name: z.literal('halves'),
    imageSize: DATA_KEYS.imageSize.default(16),
    trainImages: count.default(24),
    testImages: count.default(8),
  }),
  targets: 'mask',
  open({ imageSize: side, trainImages, testImages }) {
    const split = (length: number) =>
      sampleSplitOf<ClassMask>({
        labels: new Uint32Array(length),
        read(index) {
          const bright = (at: number): boolean => at % side < side / 2 === (index % 2 === 0);
          const data = Uint8Array.from({ length: side * side }, (_, at) => Number(bright(at)));
          const pixels = Uint8Array.from({ length: 3 * side * side }, (_, at) => (bright(Math.floor(at / 3)) ? 220 : 30));
          const image = { data: pixels, height: side, width: side };
          return Promise.resolve({ image, target: { data, height: side, width: side } });
        },
      });
    return {
      name: 'halves', targets: 'mask', classes: ['dark', 'bright'], fingerprint: 'halves-' + side,
      train: split(trainImages), test: split(testImages),
    };
  },
});
`;

export const dataset: Invented = {
  title: 'data set',
  file: { path: 'src/data/halves.ts', text: TEXT },
  listed: {
    path: 'src/data/registry.ts',
    import: "import { halves } from './halves.js';",
    after: "  'image-folder': imageFolder,",
    entry: '  halves,',
  },
  tests(copy) {
    it('is in plans with its images and its own defaults', async () => {
      const spec = writeSpec(copy, 'halves', 'job: { data: { name: halves, testImages: 5 }, evaluate: [segment] }');
      expect(await copy.vitmim('plan', spec)).toMatch(/halves.*train 24 images.*2 classes.*test 5/);
    });

    it('provides images with masks', async () => {
      const { openDataset } = await copy.load<typeof datasets>('data/dataset');
      const { jobSchema } = await copy.load<typeof schemas>('spec/schema');
      const { data } = jobSchema.parse({ data: { name: 'halves', imageSize: 8 } });
      const { train } = await openDataset(data);
      const { image, target } = await train.sample(1);
      const columns = [0, 0, 0, 0, 1, 1, 1, 1];
      expect([...image.data.slice(0, 24)]).toEqual(
        columns.flatMap((bright) => Array<number>(3).fill(bright ? 220 : 30)),
      );
      expect(target).toEqual({ data: Uint8Array.from(Array<number[]>(8).fill(columns).flat()), height: 8, width: 8 });
    });
  },
};
