/** An objective: a name for two parts at once. */
import type * as objectives from '../../../src/spec/objective.js';
import type { Invented } from '../support.js';
import { planIn } from './sweeps.js';

export const objective: Invented = {
  title: 'objective',
  file: null,
  listed: {
    path: 'src/spec/objective.ts',
    after: "name: 'masked'",
    entry:
      "  { name: 'sketch', description: 'small and grey', parts: { misalignment: 'zoomed-out', style: 'decolorized' } },",
  },
  tests(copy) {
    it('names its parts, which further ones can be joined to', async () => {
      const { jobs } = await planIn(copy, 'grid: {objective: [sketch, sketch + masked]}');
      const geometry = { kind: 'zoomed-out', fraction: 160 / 224 };
      const drawn = { kind: 'decolorized', variant: 'luminance' };
      expect(jobs.map(({ task }) => task)).toMatchObject([
        { maskRatio: 0, geometry, style: drawn },
        { maskRatio: 0.75, geometry, style: drawn },
      ]);
    });

    it('cannot be joined with a part that it has', async () => {
      await expect(planIn(copy, 'job: {objective: sketch+blurred}')).rejects.toThrow('changes the style twice');
    });

    it('is among the objectives that complete, and described in the schema', async () => {
      const { describeObjectives, OBJECTIVES } = await copy.load<typeof objectives>('spec/objective');
      expect(OBJECTIVES).toContain('sketch');
      expect(describeObjectives()).toContain('sketch: small and grey;');
    });
  },
};
