import { planOf, resultOf } from '../runner/support.js';
import { measurementsOf } from '../../src/evidence/measurements.js';
import { describePairing, pairingOf, pairingOfMeasurements } from '../../src/report/pairing.js';
import { keptCells } from './kept.js';
import { collectedFrom } from './support.js';
import { metric } from '../support/entries.js';

// By NumPy: the mean variance of the cells, and that of the differences of all 36 pairs of cells.
test.each([
  ['finetune', 1.5446, 2.0765, 2.1844, 0.0964],
  ['linear', 0.9575, 1.207, 1.3541, 0.2055],
])(
  'pairing by seed gains little in the kept ablation by %s',
  (metric, seedStd, differenceStd, unpairedStd, correlation) => {
    const found = pairingOf(keptCells(`${metric}_accuracy`))!;
    expect(found).toMatchObject({ cells: 9, runs: 45 });
    expect(found.seedStd).toBeCloseTo(seedStd, 4);
    expect(found.differenceStd).toBeCloseTo(differenceStd, 4);
    expect(found.unpairedStd).toBeCloseTo(unpairedStd, 4);
    expect(found.correlation).toBeCloseTo(correlation, 4);
  },
);

test('the sentence has the numbers', () => {
  expect(describePairing(pairingOf(keptCells('finetune_accuracy'))!, metric('finetune'))).toBe(
    'Pairing by seed (finetune, 45 runs in 9 cells): the seeds of two cells correlate with 0.10. Standard deviation of a ' +
      'seed: 1.54 points; of a difference paired by seed: 2.08, unpaired (√2 times the deviation of a seed): 2.18. ' +
      'So a paired difference needs 0.90 times the seeds of an unpaired one.',
  );
});

test('the sentence concludes nothing from few runs', () => {
  const cells = [new Map([[0, 10], [1, 12], [2, 11]]), new Map([[0, 20], [1, 19], [2, 24]])]; // oxfmt-ignore
  expect(describePairing(pairingOf(cells)!, metric('knn'))).toMatch(
    /These runs are too few to show the gain from pairing\.$/,
  );
});

test('seeds that go up and down together correlate with 1, over the seeds that two cells share', () => {
  const cells = [
    new Map([[0, 10], [1, 12], [2, 14]]), // oxfmt-ignore
    new Map([[1, 22], [2, 24]]), // oxfmt-ignore
  ];
  // Variances 4 with two degrees of freedom and 2 with one; their difference does not vary.
  expect(pairingOf(cells)).toMatchObject({ seedStd: Math.sqrt(10 / 3), differenceStd: 0, correlation: 1, runs: 5 });
  expect(pairingOf([new Map([[0, 1]]), new Map([[1, 2]])])).toBeNull();
});

test('only cells that are compared make pairs: settings apart, scratch with each', () => {
  const yaml = `
job: {pretrain: {warmupEpochs: 0}}
grid: {objective: [masked], pretrain.epochs: [5, 10], seed: [0, 1]}
include: [{objective: scratch, seed: [0, 1]}]`;
  const data = collectedFrom(planOf(yaml), ({ task, seed, cells }, kind) => {
    const long = cells[0]!.overrides['pretrain.epochs'] === 10;
    return resultOf(kind, { accuracy: task === null ? 40 + seed : long ? 50 - seed : 50 + seed });
  });
  // Variance of each cell .5; scratch − 5 epochs does not vary, scratch − 10 epochs varies by 2: 1 in the mean, as unpaired.
  const found = pairingOfMeasurements(measurementsOf(data, metric('finetune')))!;
  expect(found).toMatchObject({ cells: 3, runs: 6 });
  expect(found.differenceStd ** 2).toBeCloseTo(1, 12);
  expect(found.correlation).toBeCloseTo(0, 12);
});
