/** A step of augmentation on byte images. The sweep of the invented evaluation pre-trains with it. */
import { viewPixels } from '../../../src/common/view.js';
import type * as augmenters from '../../../src/data/augmenters.js';
import type * as schemas from '../../../src/spec/schema.js';
import type { Invented } from '../support.js';

const TEXT = `
import { probability } from '../../common/values.js';
import { pixelStep } from './augmentation.js';

export const invert = pixelStep(
  () => ({ invert: probability.optional().describe('How often an image is inverted.') }),
  ({ invert = 0 }, random) => (random.uniform() < invert ? 255 : null),
  ({ data, ...size }, white) => ({ ...size, data: data.map((value) => white - value) }),
);
`;

export const augmentation: Invented = {
  title: 'augmentation',
  file: { path: 'src/data/augmentations/invert.ts', text: TEXT },
  listed: {
    path: 'src/data/augmentations/index.ts',
    import: "import { invert } from './invert.js';",
    after: '  flip,',
    entry: '  invert,',
  },
  tests(copy) {
    it('is a key of pre-training and of fine-tuning', async () => {
      const { jobSchema } = await copy.load<typeof schemas>('spec/schema');
      const job = jobSchema.parse({ pretrain: { invert: 0.25 }, finetune: { invert: 0.75 } });
      expect([job.pretrain, job.finetune]).toMatchObject([{ invert: 0.25 }, { invert: 0.75 }]);
    });

    it.each([1, 2])('changes images on %i cores', async (cores) => {
      const { openAugmenter } = await copy.load<typeof augmenters>('data/augmenters');
      const recipe = { cropScale: [0.5, 1] as [number, number], flip: true, invert: 1 };
      const augment = openAugmenter({ recipe, size: 4, seed: 0 }, cores);
      const image = { data: new Uint8Array(3 * 6 * 6).fill(40), height: 6, width: 6 };
      const { view } = await augment({ image, epoch: 0, index: 0 });
      const values = [...new Set(viewPixels(view).data)];
      expect(values).toEqual([Math.fround(215 / 255)]);
    });
  },
};
