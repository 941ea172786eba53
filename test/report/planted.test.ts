/** Effects planted in made-up results are found again: as often as the intervals say, and not if there are none. */
import { planOf } from '../runner/support.js';
import { stream } from '../../src/common/random.js';
import type { ReportData } from '../../src/report/collect.js';
import type { TableContent } from '../../src/report/table.js';
import { effectsTable } from '../../src/report/tables/effects.js';
import { verdictsOf } from '../../src/report/verdicts.js';
import type { Task } from '../../src/spec/task.js';
import { dataOf } from './support.js';
import { evaluationOf, metric } from '../support/entries.js';

const plan = planOf(`
grid:
  objective: [identity]
  maskRatio: [0, 0.75]
  misalignment: [none, zoomed-in, zoomed-out, distorted]
  stylePreservation: [preserved, blurred, decolorized]
  seed: [0, 1, 2]`);

interface Planted {
  mask: number;
  misalignment: number;
  style: number;
  /** How much more misalignment adds with a mask. */
  interaction: number;
}

const NOISE = 0.1;

/** Results with the effects planted, a level of each seed, and independent noise. */
function planted({ mask, misalignment, style, interaction }: Planted, draw: number): ReportData {
  const random = stream(draw, 'planted');
  const seeds = [0, 1, 2].map(() => random.normal(50, 2));
  const data = dataOf(plan);
  const stages = new Map(data.stages);
  for (const { task, seed, evaluations } of plan.jobs) {
    const { maskRatio, geometry, style: look }: Task = task!;
    const [masked, misaligned, restyled] = [maskRatio > 0, geometry.kind !== 'none', look.kind !== 'preserved'].map(
      Number,
    );
    const accuracy =
      seeds[seed]! +
      mask * masked! +
      misalignment * misaligned! +
      style * restyled! +
      // Centred, so that the effect of misalignment over both mask ratios stays what is planted.
      interaction * (masked! - 0.5) * misaligned! +
      random.normal(0, NOISE);
    const record = stages.get(evaluationOf({ evaluations }, 'finetune')!)!;
    stages.set(record.stage.id, { ...record, result: { ...record.result!, accuracy } as typeof record.result });
  }
  return { ...data, stages };
}

const DRAWS = Array.from({ length: 100 }, (_, draw) => draw);

/** In how many of 100 data sets the interval of an effect holds what was planted. */
function recovered(effect: string, truth: number, tables: readonly TableContent[]): number {
  return tables.filter(({ rows }) => {
    const row = rows.find((each) => each.effect === effect && String(each.level).startsWith('any'))!;
    return (row.ci_low as number) <= truth && truth <= (row.ci_high as number);
  }).length;
}

const EFFECTS: Planted = { mask: 0, misalignment: 0.3, style: -0.5, interaction: 0.2 };
const NOTHING: Planted = { mask: 0, misalignment: 0, style: 0, interaction: 0 };

describe('of 100 data sets with three seeds and planted effects, at least 90 have intervals that hold', () => {
  const tables = DRAWS.map((draw) => effectsTable(planted(EFFECTS, draw), { metric: metric('finetune') }));

  test.each([
    ['misalignment', 0.3],
    ['style', -0.5],
    ['mask × misalignment', 0.2],
    ['mask × style', 0],
    ['misalignment × style', 0],
    // Three of four misalignments carry half of what the interaction adds, the aligned one nothing.
    ['mask', 0.2 * 0.75],
  ])('%s: %f', (effect, truth) => {
    expect(recovered(effect, truth, tables)).toBeGreaterThanOrEqual(90);
  });
});

describe('verdicts', () => {
  /** How often each principle came out as it did. */
  function outcomes(of: Planted): Map<string, Record<string, number>> {
    const counts = new Map<string, Record<string, number>>();
    for (const draw of DRAWS) {
      for (const { principle, outcome } of verdictsOf(planted(of, draw), metric('finetune'))) {
        const own = counts.get(principle) ?? {};
        counts.set(principle, { ...own, [outcome]: (own[outcome] ?? 0) + 1 });
      }
    }
    return counts;
  }

  test('are not decided in at least 95 of 100 data sets without effects', () => {
    const counts = outcomes(NOTHING);
    expect(counts.size).toBe(5);
    for (const [principle, { 'not decided': undecided = 0 }] of counts) {
      expect([principle, undecided >= 95]).toEqual([principle, true]);
    }
  });

  test('say what was planted if it is well above the noise, and never the reverse', () => {
    const counts = outcomes(EFFECTS);
    // Three seeds and Holm's correction over five: fewer than by single intervals.
    expect(counts.get('Misalignment helps')?.holds).toBeGreaterThanOrEqual(80);
    expect(counts.get('Keep the style')?.holds).toBeGreaterThanOrEqual(90);
    expect(counts.get('Misalignment helps')?.reversed).toBeUndefined();
    expect(counts.get('Keep the style')?.reversed).toBeUndefined();
  });

  test('are reversed if the opposite was planted', () => {
    const counts = outcomes({ mask: -1, misalignment: -0.5, style: 0.5, interaction: -1 });
    for (const principle of ['Misalignment helps', 'Keep the style', 'Masking helps']) {
      expect(counts.get(principle)?.reversed).toBeGreaterThanOrEqual(90);
    }
  });
});
