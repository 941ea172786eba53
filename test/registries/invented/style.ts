/** A style without strengths: negatives. */
import type { Invented } from '../support.js';
import { crossedReport, planIn } from './sweeps.js';

const TEXT = `
import { z } from 'zod';
import { denormalizeImage, normalizeImage } from '../../common/image.js';
import type { StyleEntry } from '../entry.js';

const strengths = z.strictObject({});

export const inverted: StyleEntry<'inverted', typeof strengths, { kind: 'inverted' }, null> = {
  name: 'inverted',
  description: 'negatives',
  strengths,
  resolve: () => ({ kind: 'inverted' }),
  part: () => ({
    draw: () => null,
    restyle(image) {
      const pixels = denormalizeImage(image);
      return normalizeImage({ ...pixels, data: pixels.data.map((value) => 1 - value) });
    },
    restyleBatch({ tf, ops }, images) {
      return ops.mixColours(tf.sub(1, ops.mixColours(images, [ops.DENORMALIZE])), [ops.NORMALIZE]);
    },
  }),
};
`;

export const style: Invented = {
  title: 'style',
  file: { path: 'src/task/styles/inverted.ts', text: TEXT },
  listed: {
    path: 'src/task/styles/index.ts',
    import: "import { inverted } from './inverted.js';",
    after: '  decolorized,',
    entry: '  inverted,',
  },
  tests(copy) {
    it('is a value of the axis and a part of objectives', async () => {
      const { jobs } = await planIn(
        copy,
        'grid: {objective: [zoomed-in+inverted], stylePreservation: [false, inverted]}',
      );
      expect(jobs.map(({ cells, task }) => [cells.length, task!.style])).toEqual([[2, { kind: 'inverted' }]]);
    });

    it('has no group of strengths', async () => {
      await expect(planIn(copy, 'job: {degradation: {inverted: {}}}')).rejects.toThrow('inverted');
    });

    it('has a contrast, a row and a chart', async () => {
      const { rows, page } = await crossedReport(copy);
      const effect = rows('effects').find((row) => row.effect === 'style' && ['any', 'inverted'].includes(row.level!))!;
      expect(Number(effect.estimate)).toBeCloseTo(-2.2, 6);
      expect(rows('style-preservation').filter((row) => row.style === 'inverted')).toHaveLength(6);
      expect(/<section id="figure-mask-style">[^]*?<\/section>/.exec(page)![0]).toContain(
        'inverted: 37.80 ± 0.20 at 0',
      );
    });
  },
};
