/** A step of augmentation on byte images. The sweep of the invented evaluation pre-trains with it. */
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
    it('is in the schema of specs', async () => {
      expect(await copy.vitmim('schema')).toContain('"invert"');
    });
  },
};
