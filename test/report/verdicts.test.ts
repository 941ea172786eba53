/**
 * Every verdict against numbers worked by hand. With two degrees of freedom Student's two-sided p value has a closed form:
 * p = 1 − t / √(t² + 2).
 */
import { planOf, resultOf } from '../runner/support.js';
import { stream } from '../../src/common/random.js';
import {
  describeUnasked,
  describeVerdict,
  verdictSection,
  verdictsOf,
  verdictRule,
  type Verdict,
} from '../../src/report/verdicts.js';
import type { Job } from '../../src/spec/stages.js';
import { collectedFrom } from './support.js';
import { metric } from '../support/entries.js';

const PRINCIPLES = ['misalignment', 'interaction', 'style', 'mask', 'integrated'] as const;

/** Of each seed: what a mask, misalignment, a changed style and mask with misalignment add. */
interface Added {
  mask: number[];
  misalignment: number[];
  style: number[];
  interaction: number[];
}

const ADDED: Added = { mask: [2, 3, 4], misalignment: [1, 1, 4], style: [-2, -1, -3], interaction: [1, 2, 0] };

/** The same means, a tenth of the deviations. */
const SHARP: Added = {
  mask: [2.9, 3, 3.1],
  misalignment: [1.9, 1.9, 2.2],
  style: [-2, -1.9, -2.1],
  interaction: [1, 1.1, 0.9],
};

const plan = planOf(`
job: {degradation: {zoomedIn: {fraction: 224/288}}}
grid: {objective: [identity], maskRatio: [0, 0.75], misalignment: [none, zoomed-in], stylePreservation: [preserved, blurred], seed: [0, 1, 2]}`);

interface Run {
  masked: number;
  misaligned: number;
  restyled: number;
  seed: number;
}

function runOf({ task, seed }: Job): Run {
  const { maskRatio, geometry, style } = task!;
  return {
    masked: Number(maskRatio > 0),
    misaligned: Number(geometry.kind !== 'none'),
    restyled: Number(style.kind !== 'preserved'),
    seed,
  };
}

function judged(added: Added, without: (run: Run) => boolean = () => false): Verdict[] {
  const data = collectedFrom(plan, (job, kind) => {
    const run = runOf(job);
    const { masked, misaligned, restyled, seed } = run;
    if (kind !== 'pretrain' && without(run)) return null;
    const accuracy =
      50 +
      10 * seed +
      added.mask[seed]! * masked +
      added.misalignment[seed]! * misaligned +
      added.style[seed]! * restyled +
      added.interaction[seed]! * masked * misaligned;
    return resultOf(kind, { accuracy });
  });
  return verdictsOf(data, metric('finetune'));
}

const negated = (added: Added): Added =>
  Object.fromEntries(
    Object.entries(added).map(([key, values]) => [key, (values as number[]).map((value) => -value)]),
  ) as unknown as Added;

const by = (verdicts: readonly Verdict[], principle: (typeof PRINCIPLES)[number]): Verdict =>
  verdicts[PRINCIPLES.indexOf(principle)]!;

/** Of t² with two degrees of freedom. */
const pOf = (t2: number): number => 1 - Math.sqrt(t2 / (t2 + 2));

describe('of a complete sweep of three seeds', () => {
  // Contrasts by seed, their mean and t² = 3 · mean² / variance:
  // misalignment + interaction / 2: 1.5, 2, 4; 2.5; variance 1.75
  // interaction: 1, 2, 0; 1; variance 1
  // style: −2, −1, −3; −2; variance 1
  // mask + interaction / 2: 2.5, 4, 4; 3.5; variance .75
  // misalignment + interaction: 2, 3, 4; 3; variance 1
  const expected = {
    misalignment: { mean: 2.5, t2: (3 * 6.25) / 1.75 },
    interaction: { mean: 1, t2: 3 },
    style: { mean: -2, t2: 12 },
    mask: { mean: 3.5, t2: (3 * 12.25) / 0.75 },
    integrated: { mean: 3, t2: 27 },
  };

  test.each(PRINCIPLES)('%s has the estimate and the p value', (principle) => {
    const { estimate } = by(judged(ADDED), principle);
    const { mean, t2 } = expected[principle];
    expect(estimate.mean).toBeCloseTo(mean, 10);
    expect(estimate.p).toBeCloseTo(pOf(t2), 10);
    expect(estimate).toMatchObject({ n: 3, planned: 3, filled: 0, degrees: 2, obstacle: null });
  });

  test("none is decided: Holm's correction takes the mask's p of .020 to .099, though its interval excludes zero", () => {
    const verdicts = judged(ADDED);
    expect(verdicts.map(({ outcome }) => outcome)).toEqual(PRINCIPLES.map(() => 'not decided'));
    // In order: mask × 5, integrated × 4, style × 3, misalignment (× 2, not below the one before), interaction.
    const adjusted = { mask: 5 * pOf(49), integrated: 4 * pOf(27), style: 3 * pOf(12), misalignment: 3 * pOf(12) };
    for (const [name, p] of Object.entries(adjusted)) {
      expect(by(verdicts, name as keyof typeof adjusted).adjusted).toBeCloseTo(p, 10);
    }
    expect(by(verdicts, 'interaction').adjusted).toBeCloseTo(pOf(3), 10);
    expect(by(verdicts, 'mask').estimate.interval![0]).toBeGreaterThan(0);
    // statsmodels' TTestPower at .05 / 5: a power of .39 with three seeds, of .86 with four.
    const { hypothesis, verdict, numbers } = describeVerdict(by(verdicts, 'mask'));
    expect(`${hypothesis}: ${verdict}. ${numbers}`).toBe(
      'Masking helps: not decided (adjusted p = 0.099, Holm over 5). Masked minus unmasked: +3.50 points, ' +
        'unadjusted 95 % interval +1.35 to +5.65, p = 0.020, over 3 seeds in 4 contexts. An effect of this size would need about 4 seeds to be decided ' +
        '(with a probability of 80 %, at the level 0.05 / 5).',
    );
    expect(verdictRule(verdicts)).toContain("adjusted by Holm's method for the 5 tested in this report");
  });

  test('all hold if the same means vary a tenth as much', () => {
    const verdicts = judged(SHARP);
    expect(verdicts.map(({ outcome }) => outcome)).toEqual(PRINCIPLES.map(() => 'holds'));
    // misalignment + interaction / 2: 2.4, 2.45, 2.65; mean 2.5, squares .01 + .0025 + .0225 = .035, variance .0175.
    expect(by(verdicts, 'misalignment').estimate.p).toBeCloseTo(pOf((3 * 6.25) / 0.0175), 10);
    expect(describeVerdict(by(verdicts, 'style')).verdict).toBe('holds (adjusted p = 0.002, Holm over 5)');
  });

  test('all are reversed if each effect has the other sign', () => {
    expect(judged(negated(SHARP)).map(({ outcome }) => outcome)).toEqual(PRINCIPLES.map(() => 'reversed'));
  });
});

describe('of a plan without a mask', () => {
  const unmasked = planOf('grid: {objective: [identity], stylePreservation: [preserved, blurred], seed: [0, 1, 2]}');
  const data = collectedFrom(unmasked, ({ task, seed }, kind) =>
    resultOf(kind, { accuracy: 50 + seed + (task!.style.kind === 'preserved' ? 5 + seed / 10 : 0) }),
  );
  const verdicts = verdictsOf(data, metric('finetune'));

  test('only the style is asked, and one sentence names the other principles', () => {
    expect(verdicts.map(({ asked }) => asked)).toEqual([false, false, true, false, false]);
    expect(describeUnasked(verdicts)).toBe(
      'Not asked, since the plan has no cells to compare: Misalignment helps; Misalignment helps more on top of masking; ' +
        'Masking helps; Masked and zoomed-in is at least as good as masked.',
    );
    expect(verdictSection(verdicts).filter((line) => line.startsWith('- '))).toEqual([
      expect.stringMatching(/^- \*\*Keep the style: holds/),
    ]);
  });

  test('a single verdict needs no correction, and none is named', () => {
    const { verdict, numbers } = describeVerdict(by(verdicts, 'style'));
    expect(verdict).toMatch(/^holds \(p [<=] [\d.]+\)$/);
    expect(`${numbers} ${verdictRule(verdicts)}`).not.toContain('Holm');
  });

  test('nothing is unasked if every principle is', () => {
    expect(describeUnasked(judged(ADDED))).toBe('');
  });
});

describe('if runs are missing', () => {
  test('the planned effect is estimated, and the verdict says how many runs were filled', () => {
    const verdicts = judged(
      SHARP,
      ({ masked, misaligned, restyled, seed }) => [masked, misaligned, restyled, seed].join() === '1,0,1,1',
    );
    const { estimate } = by(verdicts, 'misalignment');
    expect(estimate).toMatchObject({ n: 3, filled: 1, contexts: 4, contextsPlanned: 4 });
    // The fill is within the spread of the seeds' effects.
    expect(Math.abs(estimate.mean! - 2.5)).toBeLessThan(0.2);
    expect(describeVerdict(by(verdicts, 'misalignment')).numbers).toContain(
      '1 missing run filled by a fit of cells and seeds',
    );
    // Its two cells are both preserved: complete.
    expect(by(verdicts, 'integrated').estimate).toMatchObject({ n: 3, filled: 0, degrees: 2 });
  });

  test('a planned cell without any result leaves what needs it not tested, however clear the rest', () => {
    const verdicts = judged(
      SHARP,
      ({ masked, misaligned, restyled }) => [masked, misaligned, restyled].join() === '1,0,1',
    );
    const found = verdicts.map(({ outcome }) => outcome);
    expect(found).toEqual(['not tested', 'not tested', 'not tested', 'not tested', 'holds']);
    expect(describeVerdict(by(verdicts, 'misalignment'))).toEqual({
      hypothesis: 'Misalignment helps',
      verdict: 'not tested',
      numbers:
        'Misaligned minus aligned: 3 of 4 planned contexts have a result of every cell, so the planned effect cannot be estimated.',
    });
    // Alone in its family, its p is not adjusted.
    expect(by(verdicts, 'integrated').family).toBe(1);
    expect(by(verdicts, 'integrated').adjusted).toBe(by(verdicts, 'integrated').estimate.p);
  });

  test('one seed tests nothing', () => {
    const verdicts = judged(SHARP, ({ seed }) => seed > 0);
    expect(verdicts.map(({ outcome }) => outcome)).toEqual(PRINCIPLES.map(() => 'not tested'));
    expect(describeVerdict(by(verdicts, 'mask')).numbers).toBe(
      'Masked minus unmasked: +3.40 points, too few results to test, from 1 of 3 seeds.',
    );
  });

  test('two cells that share no seed are not compared', () => {
    const verdicts = judged(SHARP, ({ masked, misaligned, seed }) =>
      masked === 1 && misaligned === 1 ? seed !== 0 : seed !== 1,
    );
    expect(by(verdicts, 'integrated')).toMatchObject({
      outcome: 'not tested',
      estimate: { mean: null, n: 0, planned: 3 },
    });
  });

  test('a seed that lacks one of two cells adds nothing to their difference', () => {
    const verdicts = judged(
      ADDED,
      ({ masked, misaligned, restyled, seed }) => [masked, misaligned, restyled, seed].join() === '1,0,0,2',
    );
    // 2 and 3: mean 2.5, one degree of freedom.
    expect(by(verdicts, 'integrated').estimate).toMatchObject({ n: 2, planned: 3, degrees: 1 });
    expect(by(verdicts, 'integrated').estimate.mean).toBeCloseTo(2.5, 10);
  });
});

test('seeds that agree to the last digit are not tested', () => {
  const same: Added = { mask: [1, 1, 1], misalignment: [1, 1, 1], style: [1, 1, 1], interaction: [0, 0, 0] };
  const verdict = by(judged(same), 'mask');
  expect(verdict.outcome).toBe('not tested');
  expect(describeVerdict(verdict).numbers).toBe(
    'Masked minus unmasked: +1.00 points, 3 seeds agree to the last digit, so the spread is not known.',
  );
});

test('two settings are one family of ten', () => {
  const yaml = `
job: {pretrain: {warmupEpochs: 0}, degradation: {zoomedIn: {fraction: 224/288}}}
grid: {objective: [identity], maskRatio: [0, 0.75], misalignment: [none, zoomed-in], stylePreservation: [preserved, blurred], pretrain.epochs: [5, 10], seed: [0, 1, 2]}`;
  const random = stream(0, 'accuracies');
  const verdicts = verdictsOf(
    collectedFrom(planOf(yaml), (_job, kind) => resultOf(kind, { accuracy: random.normal(40, 1) })),
    metric('finetune'),
  );
  expect(verdicts.map(({ family }) => family)).toEqual(Array(10).fill(10));
});
