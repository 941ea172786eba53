/** A data set that provides masks: pictures with a bright half. The invented evaluation is run on it. */
import type { Invented } from '../support.js';

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
    it('is in the schema of specs', async () => {
      expect(await copy.vitmim('schema')).toContain('"halves"');
    });
  },
};
