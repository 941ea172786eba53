/** Reports of sweeps that add seeds until every verdict is decided. */
import { CLEAR, EQUAL, UNCLEAR } from '../decide/support.js';
import { collect, resultsMaker, type NumbersOf } from './support.js';
import { buildReport, buildTables } from '../../src/report/report.js';
import { describeVerdict, verdictRule, type Verdict } from '../../src/report/verdicts.js';

const make = resultsMaker();
const SPEC = `
job: {evaluate: [knn]}
grid: {objective: [scratch, zoomed-in]}
compare: [[zoomed-in, scratch]]
seeds: {looks: [2, 3, 4], smallest: 1}`;

type Accuracy = (objective: string, seed: number) => number;

/** The numbers of the first seeds. */
const numbers =
  (accuracy: Accuracy, seeds: number): NumbersOf =>
  (objective, seed) =>
    seed < seeds ? { accuracy: accuracy(objective, seed) } : null;

const dataOf = (accuracy: Accuracy, seeds: number) => collect([make(SPEC, numbers(accuracy, seeds))]);

function verdictOf(accuracy: Accuracy, seeds: number): Verdict {
  const { verdicts } = buildReport(dataOf(accuracy, seeds));
  return verdicts.find(({ principle }) => principle === 'zoomed-in is better than scratch')!;
}

test('a verdict has the repeated interval of its look, and says so', () => {
  const verdict = verdictOf(CLEAR, 2);
  expect(verdict).toMatchObject({ outcome: 'holds', adjusted: null, look: { seeds: 2, end: 'decided', family: 1 } });
  const { hypothesis, verdict: outcome, numbers: text } = describeVerdict(verdict);
  expect(`${hypothesis}: ${outcome}`).toBe('zoomed-in is better than scratch: holds (look at 2 seeds)');
  expect(text).toMatch(
    /^zoomed-in minus scratch: \+10\.00 points, repeated confidence interval \+9\.\d\d to \+10\.\d\d, over 2 seeds/,
  );
  expect(verdictRule([verdict])).toContain('They were added until every verdict was decided, at 2 seeds.');
});

test('the interval is wider than one that is read once', () => {
  const { estimate, look } = verdictOf(CLEAR, 2);
  const width = ([low, high]: readonly [number, number]): number => high - low;
  expect(width(look!.interval!)).toBeGreaterThan(width(estimate.interval!));
});

test.each([
  ['no difference of that size', EQUAL, 2],
  ['not decided', UNCLEAR, 4],
  ['not tested', CLEAR, 1],
] as const)('a verdict is "%s" by the results', (outcome, accuracy, seeds) => {
  expect(verdictOf(accuracy, seeds).outcome).toBe(outcome);
});

test('results beyond the last complete look count in no verdict', () => {
  // The third seed would turn the mean; its look is not complete, as a result of another objective is missing.
  const spec = SPEC.replace('[scratch, zoomed-in]', '[scratch, zoomed-in, masked]');
  const folder = make(spec, (objective, seed, { kind }) => {
    if (seed > 2 || (seed === 2 && objective === 'masked' && kind === 'knn')) return null;
    return { accuracy: seed === 2 && objective === 'zoomed-in' ? 90 : UNCLEAR(objective, seed) };
  });
  const { verdicts } = buildReport(collect([folder]));
  expect(verdicts.at(-1)).toMatchObject({ look: { seeds: 2, end: null }, estimate: { mean: 0, n: 2 } });
});

test('seeds that are not needed are not missing, and results of them are not reported', () => {
  const decided = dataOf(CLEAR, 2);
  expect(decided.missing).toEqual([]);
  expect(decided.jobs.map(({ seed }) => seed)).toEqual([0, 1, 0, 1]);
  const beyond = dataOf(CLEAR, 4);
  expect(beyond.missing).toEqual([]);
  expect(beyond.jobs).toHaveLength(4);
});

test('seeds that may be needed are missing, and say what they wait for', () => {
  const { missing } = dataOf(CLEAR, 1);
  expect(missing.map(({ stage, why }) => `${stage.config.seed} ${why}`).sort()).toEqual([
    ...Array.from({ length: 3 }, () => '1 not run'),
    ...Array.from({ length: 3 }, () => '2 not run yet: needs the look at 2 seeds'),
    ...Array.from({ length: 3 }, () => '3 not run yet: needs the look at 2 seeds'),
  ]);
});

test('folders of several machines decide together', () => {
  const half = (own: string): string =>
    make(SPEC, (objective, seed) => (seed < 2 && objective === own ? { accuracy: CLEAR(objective, seed) } : null));
  const { missing, seeds } = collect([half('scratch'), half('zoomed-in')]);
  expect(missing).toEqual([]);
  expect(seeds).toMatchObject({ look: 2, end: 'decided' });
});

test('tables with intervals of their own say that these do not account for the looks', () => {
  const captions = (spec: string): string[] =>
    buildTables(collect([make(spec, numbers(UNCLEAR, 4))])).flatMap(({ name, caption }) =>
      caption.includes('The number of seeds depends on the results') ? [name] : [],
    );
  expect(captions(SPEC)).toEqual(['mask-ratio', 'misalignment', 'style-preservation', 'effects', 'efficiency']);
  expect(captions('{job: {evaluate: [knn]}, grid: {objective: [scratch, zoomed-in], seed: [0, 1, 2, 3]}}')).toEqual([]);
});

test('a comparison of the spec is a verdict of a sweep with fixed seeds too, in the family of the others', () => {
  const folder = make(
    '{job: {evaluate: [knn]}, grid: {objective: [scratch, zoomed-in], seed: [0, 1, 2, 3]}, compare: [[zoomed-in, scratch]]}',
    numbers(CLEAR, 4),
  );
  expect(buildReport(collect([folder])).verdicts.at(-1)).toMatchObject({
    principle: 'zoomed-in is better than scratch',
    outcome: 'holds',
    family: 1,
    look: null,
  });
});

test('comparisons are made in each setting that both objectives have', () => {
  const folder = make(
    '{job: {evaluate: [knn]}, grid: {objective: [masked, zoomed-in], seed: [0, 1], pretrain.epochs: [10, 20]}, compare: [[zoomed-in, masked]]}',
    numbers(CLEAR, 2),
  );
  const settings = buildReport(collect([folder])).verdicts.flatMap(({ principle, setting }) =>
    principle === 'zoomed-in is better than masked' ? [setting] : [],
  );
  expect(settings).toEqual(['pretrain.epochs=10', 'pretrain.epochs=20']);
});
