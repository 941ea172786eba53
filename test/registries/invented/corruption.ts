/** A corruption: negatives, reported apart from the mean. The invented evaluations report it. */
import type * as corruptions from '../../../src/data/corruptions/index.js';
import type * as stages from '../../../src/stages/index.js';
import type { Invented } from '../support.js';

const TEXT = `
import { defineCorruption, mapImage } from './corruption.js';

export const negative = defineCorruption({
  name: 'negative',
  title: 'negatives',
  category: 'extra',
  small: [0.2, 0.4, 0.6, 0.8, 1],
  large: [0.2, 0.4, 0.6, 0.8, 1],
  apply: (image, share) => mapImage(image, (value) => (1 - share) * value + share * (1 - value)),
});
`;

export const corruption: Invented = {
  title: 'corruption',
  file: { path: 'src/data/corruptions/negative.ts', text: TEXT },
  listed: {
    path: 'src/data/corruptions/index.ts',
    import: "import { negative } from './negative.js';",
    after: '  grey,',
    entry: '  negative,',
  },
  tests(copy) {
    it('changes images by its severity', async () => {
      const { corrupt } = await copy.load<typeof corruptions>('data/corruptions/index');
      const image = { data: Float32Array.of(0.2, 0.5, 1), height: 1, width: 1 };
      const changed = async (severity: number) => {
        return [...(await corrupt(image, 'negative' as corruptions.CorruptionName, severity, 0)).data];
      };
      // Bytes are cut off: .8 · 255 = 204; at .6 of the negative, .4 · .2 + .6 · .8 = .56 is 142.
      expect(await changed(5)).toEqual([204, 127, 0]);
      expect(await changed(3)).toEqual([142, 127, 102]);
    });

    it('is a number of the results of robustness', async () => {
      const { STAGES } = await copy.load<typeof stages>('stages/index');
      expect(STAGES.robustness.columns).toHaveProperty('error_negative.label', 'negatives');
    });
  },
};
