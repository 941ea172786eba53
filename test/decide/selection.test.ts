/** The choice among candidates, worked by hand, and which stages of a plan are needed by it. */
import { choose, selectionsOf, type JudgedCandidate, type Trial } from '../../src/decide/selection.js';
import { needsOf } from '../../src/decide/needs.js';
import type { Standing, StandingOf } from '../../src/decide/standing.js';
import { repeatsOf, type Plan, type Stage } from '../../src/spec/stages.js';
import { planOf, resultOf } from '../runner/support.js';

const AWAITED: Trial = { kind: 'awaited' };
const LOST: Trial = { kind: 'lost', why: 'diverged' };
const candidate = (index: number, ...trials: (number | Trial)[]): JudgedCandidate => ({
  index,
  values: { rate: index },
  trials: trials.map((trial) => (typeof trial === 'number' ? { kind: 'value', value: trial } : trial)),
});

describe('the choice among candidates', () => {
  test('is the best mean, with its margin to the next', () => {
    const best = candidate(1, 50, 40);
    expect(choose([candidate(0, 42, 44), best, candidate(2, 60, 20)], 'higher')).toEqual({
      kind: 'chosen',
      candidate: best,
      mean: 45,
      margin: 2,
    });
  });

  test('is the smallest mean if lower is better', () => {
    expect(choose([candidate(0, 3, 1), candidate(1, 1, 2)], 'lower')).toMatchObject({
      candidate: { index: 1 },
      mean: 1.5,
      margin: 0.5,
    });
  });

  test('is the earlier of equally good ones, whatever their order', () => {
    const [a, b, c] = [candidate(0, 10), candidate(1, 20), candidate(2, 20)];
    expect(choose([a, b, c], 'higher')).toMatchObject({ candidate: { index: 1 }, margin: 0 });
    expect(choose([c, b, a], 'higher')).toMatchObject({ candidate: { index: 1 } });
    expect(choose([b, c, a], 'lower')).toMatchObject({ candidate: { index: 0 } });
  });

  test('waits for every trial of a candidate that can still win', () => {
    expect(choose([candidate(0, 10, 12), candidate(1, 30, AWAITED)], 'higher')).toEqual({ kind: 'open', awaited: 1 });
    expect(choose([candidate(0, 10, 12), candidate(1, LOST, AWAITED)], 'higher')).toMatchObject({
      kind: 'chosen',
      candidate: { index: 0 },
      margin: null,
    });
  });

  test('is no candidate of which a trial is lost, however good the others are', () => {
    expect(choose([candidate(0, 10, 12), candidate(1, 90, LOST)], 'higher')).toMatchObject({ candidate: { index: 0 } });
  });

  test('is none if all are lost, with the reasons', () => {
    const unhealthy: Trial = { kind: 'lost', why: 'its loss ended at 2.31' };
    expect(choose([candidate(0, LOST), candidate(1, unhealthy), candidate(2, LOST)], 'higher')).toEqual({
      kind: 'none',
      why: 'diverged; its loss ended at 2.31',
    });
  });

  test('needs no trial of a single candidate', () => {
    expect(choose([candidate(0)], 'higher')).toMatchObject({ kind: 'chosen', mean: null, margin: null });
  });
});

describe('the stages that are needed', () => {
  const plan = planOf(`
job: { data: { validation: 0.1 }, evaluate: [finetune, knn] }
grid: { objective: [scratch, masked], seed: [0] }
select: { by: finetune, over: { finetune.baseLearningRate: [1.0e-3, 2.0e-3] }, seeds: [100, 101] }
`);
  const isTrial = ({ config }: Stage): boolean => config.seed >= 100;
  const rateOf = ({ config }: Stage): unknown => 'baseLearningRate' in config.recipe && config.recipe.baseLearningRate;
  const runs = (kind: string): Stage[] => plan.stages.filter((stage) => stage.config.kind === kind && !isTrial(stage));
  const trials = (kind: string): Stage[] => plan.stages.filter((stage) => stage.config.kind === kind && isTrial(stage));
  const needsUnder = (standingOf: StandingOf, of: Plan = plan) => needsOf(of, standingOf);
  const kindsOf = (stages: readonly Stage[], needs: ReturnType<typeof needsOf>): string[] => [
    ...new Set(stages.map(({ id }) => needs.get(id)?.kind ?? 'wanted')),
  ];
  /** Trials have accuracies by learning rate; nothing else has run. */
  const trained =
    (accuracyOf: (stage: Stage) => number | Standing): StandingOf =>
    (stage) => {
      if (!isTrial(stage)) return { kind: 'awaited' };
      const found = stage.config.kind === 'pretrain' ? 0 : accuracyOf(stage);
      return typeof found === 'number'
        ? { kind: 'done', result: resultOf(stage.config.kind, { accuracy: found }) }
        : found;
    };

  test('are at first the trials, and what all candidates have', () => {
    const needs = needsUnder(() => ({ kind: 'awaited' }));
    for (const kind of ['pretrain', 'finetune']) expect(kindsOf(trials(kind), needs)).toEqual(['wanted']);
    for (const kind of ['pretrain', 'knn']) expect(kindsOf(runs(kind), needs)).toEqual(['wanted']);
    expect(kindsOf(runs('finetune'), needs)).toEqual(['open']);
    expect(needs.get(runs('finetune')[0]!.id)!.why).toBe('waits for trials by finetune on validation');
  });

  test('are then the runs with the chosen values, cell by cell', () => {
    // Scratch prefers the higher rate, masked the lower.
    const needs = needsUnder(trained((stage) => (rateOf(stage) === 2e-3 ? 1 : -1) * (stage.parent === null ? 1 : -1)));
    for (const stage of runs('finetune')) {
      const chosen = rateOf(stage) === (stage.parent === null ? 2e-3 : 1e-3);
      expect(kindsOf([stage], needs)).toEqual([chosen ? 'wanted' : 'unneeded']);
    }
  });

  test('are of the other candidate if a trial diverged, and that trial is not repeated', () => {
    const diverged: Standing = { kind: 'awaited', diverged: true };
    const needs = needsUnder(trained((stage) => (rateOf(stage) === 2e-3 ? diverged : 30)));
    expect(
      kindsOf(
        trials('finetune').filter((stage) => rateOf(stage) === 2e-3),
        needs,
      ),
    ).toEqual(['unneeded']);
    expect(
      kindsOf(
        runs('finetune').filter((stage) => rateOf(stage) === 1e-3),
        needs,
      ),
    ).toEqual(['wanted']);
  });

  test('are open for good if every candidate is lost, with the reason', () => {
    const needs = needsUnder(trained(() => ({ kind: 'failed', diverged: true })));
    expect(needs.get(runs('finetune')[0]!.id)).toEqual({
      kind: 'open',
      why: 'no candidate of scratch can be chosen (diverged); change finetune.baseLearningRate in select.over',
    });
    expect(kindsOf(trials('finetune'), needs)).toEqual(['wanted']);
  });

  test('are not decided by a trial that failed for another reason', () => {
    const needs = needsUnder(trained((stage) => (rateOf(stage) === 2e-3 ? { kind: 'failed', diverged: false } : 30)));
    expect(kindsOf(runs('finetune'), needs)).toEqual(['open']);
  });

  test('are those of unhealthy trials no more than of diverged ones', () => {
    const unhealthy: Standing = { kind: 'done', result: resultOf('finetune', { accuracy: 99, loss: 3 }) };
    const [scratch] = selectionsOf(
      plan,
      trained((stage) => (rateOf(stage) === 2e-3 ? unhealthy : 30)),
    );
    expect(scratch!.choice).toMatchObject({ kind: 'chosen', candidate: { index: 0 }, mean: 30, margin: null });
  });

  test('are all stages of a plan that shares them with a cell that is not chosen for', () => {
    const [first] = plan.jobs.filter(({ candidate: own }) => !own!.isTrial);
    const { candidate: _, ...fixed } = first!;
    const needs = needsUnder(() => ({ kind: 'awaited' }), { ...plan, jobs: [...plan.jobs, fixed] });
    expect(needs.has(repeatsOf(first!, 'finetune')[0]!)).toBe(false);
  });
});
