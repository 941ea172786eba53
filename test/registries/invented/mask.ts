/** A mask: one run of tokens is kept. */
import { planOf } from '../../runner/support.js';
import type { Invented } from '../support.js';
import { planIn, reportIn, TINY } from './sweeps.js';

const TEXT = `
import { z } from 'zod';
import type { MaskEntry } from '../entry.js';

const strengths = z.strictObject({
  step: z.int().positive().default(1).describe('The run begins at a multiple of this.'),
});

export const stripe: MaskEntry<'stripe', typeof strengths, { kind: 'stripe'; step: number }> = {
  name: 'stripe',
  description: 'all tokens but a run of neighbours',
  strengths,
  resolve: ({ step }) => ({ kind: 'stripe', step }),
  draw({ step }, { columns, kept }, random) {
    const places = Math.floor((columns ** 2 - kept) / step) + 1;
    const first = step * random.integer(places);
    return Int32Array.from({ length: kept }, (_, i) => first + i);
  },
};
`;

export const mask: Invented = {
  title: 'mask',
  file: { path: 'src/task/masks/stripe.ts', text: TEXT },
  listed: {
    path: 'src/task/masks/index.ts',
    import: "import { stripe } from './stripe.js';",
    after: '  random,',
    entry: '  stripe,',
  },
  tests(copy) {
    const yaml = 'grid: {objective: [identity, masked], degradation.mask: [random, stripe]}';

    it('is a value of degradation.mask with strengths of its own, and makes no difference without a mask', async () => {
      const { jobs } = await planIn(copy, yaml);
      expect(jobs.map(({ task, cells }) => [task!.mask, cells.length])).toEqual([
        [undefined, 2],
        [undefined, 1],
        [{ kind: 'stripe', step: 1 }, 1],
      ]);
    });

    it('leaves the identities of random masks as they were', async () => {
      const [before] = planOf('job: {objective: masked}').stages;
      const stages = (await planIn(copy, yaml)).stages.map(({ id }) => id);
      expect(stages).toContain(before!.id);
    });

    it('is a setting of the tables', async () => {
      const spec = `job: ${TINY}\ngrid: {objective: masked, degradation.mask: [random, stripe], seed: [0, 1]}`;
      const { rows } = await reportIn(copy, 'masks', spec, ({ seed }) => 40 + seed);
      const settings = rows('objectives').filter(({ objective }) => objective === 'masked');
      expect(settings.map(({ setting }) => setting)).toEqual([
        expect.stringContaining('degradation.mask=random'),
        expect.stringContaining('degradation.mask=stripe'),
      ]);
    });
  },
};
