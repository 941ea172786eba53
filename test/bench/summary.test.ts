/** From rounds to medians and ratios. */
import { entrants, peaksOf } from '../../bench/contenders.js';
import { describeRow, summarise, type Contender, type Measurement, type Outcome } from '../../bench/summary.js';

const CONTENDERS: Contender[] = [
  { name: 'vitmim float32', ours: true, inRatios: true },
  { name: 'torch bfloat16', ours: false, inRatios: true },
  { name: 'torch once', ours: false, inRatios: false },
];

const measurement = (imagesPerSecond: number, more: Partial<Measurement> = {}): Measurement => ({
  ...{ device: 'card', batch: 8, inFlight: 10, teraflops: imagesPerSecond / 10, utilisation: null },
  ...{ peakMemoryBytes: 2 ** 20, firstStepSeconds: 1, imagesPerSecond },
  ...more,
});

const round = (ours: Outcome, theirs: Outcome) =>
  new Map([
    ['vitmim float32', ours],
    ['torch bfloat16', theirs],
  ]);

test('ratios are those of the same round, and the median is of the ratios', () => {
  const rounds = [
    [10, 20],
    [30, 40],
    [40, 20],
  ].map(([a, b]) => round(measurement(a!), measurement(b!)));
  const row = summarise('G1', CONTENDERS, rounds);
  expect(row.ratios).toEqual([
    { ours: 'vitmim float32', theirs: 'torch bfloat16', median: 0.75, rounds: [0.5, 0.75, 2] },
  ]);
  expect(row.standings[0]).toMatchObject({ imagesPerSecond: 30, teraflops: 3, rates: [10, 30, 40], failure: null });
});

test('who failed keeps the reason, and spoils nothing of the others', () => {
  const row = summarise('G1', CONTENDERS, [
    round(measurement(10), measurement(20, { utilisation: 0.5, torch: '2.15.0' })),
    round({ failure: 'out of memory' }, measurement(20, { utilisation: 0.5, torch: '2.15.0' })),
  ]);
  expect(row.standings[0]).toMatchObject({ imagesPerSecond: 10, failure: 'out of memory' });
  expect(row.ratios[0]!.rounds).toEqual([0.5]);
  expect(describeRow(row)).toEqual([
    'G1, batch 8, 10 in flight',
    '  vitmim float32      10.0 images/s, 1.00 TFLOP/s, 1 MiB, on card, failed once: out of memory',
    '  torch bfloat16      20.0 images/s, 2.00 TFLOP/s, 50.0 % of the peak, 1 MiB, torch 2.15.0 on card',
    '  torch once      did not run',
    '  vitmim float32 ÷ torch bfloat16 = 0.50 (0.50 to 0.50 in 1)',
  ]);
});

test('there is no ratio of two that never ran together', () => {
  const row = summarise('G1', CONTENDERS, [round({ failure: 'no adapter' }, measurement(20))]);
  expect(row.ratios).toEqual([]);
  expect(describeRow(row)).toContain('  vitmim float32  failed: no adapter');
});

test('vitmim in another precision is also compared with vitmim in float32', () => {
  const contenders = [...CONTENDERS, { name: 'vitmim bfloat16', ours: true, inRatios: true }];
  const rounds = [new Map([...round(measurement(10), measurement(20)), ['vitmim bfloat16', measurement(30)]])];
  expect(summarise('F', contenders, rounds).ratios).toEqual([
    { ours: 'vitmim float32', theirs: 'torch bfloat16', median: 0.5, rounds: [0.5] },
    { ours: 'vitmim bfloat16', theirs: 'torch bfloat16', median: 1.5, rounds: [1.5] },
    { ours: 'vitmim bfloat16', theirs: 'vitmim float32', median: 3, rounds: [3] },
  ]);
});

describe('on the processor', () => {
  const common = { device: 'simd', torchDevice: 'cpu', python: 'python3', steps: '5', threads: '2' };
  const contenders = (precision: string): string[] =>
    entrants({ ...common, precision, batch: undefined, inFlight: undefined, peak: undefined })
      .filter(({ inRatios }) => inRatios)
      .map(({ name }) => name);

  test.each([
    ['float32', ['vitmim float32', 'torch float32']],
    ['bfloat16', ['vitmim float32', 'vitmim bfloat16', 'torch bfloat16']],
    ['all', ['vitmim float32', 'vitmim bfloat16', 'torch float32', 'torch bfloat16']],
  ])('%s runs beside PyTorch in the same precision', (precision, expected) => {
    expect(contenders(precision)).toEqual(expected);
  });
});

test('peaks are listed by precision', () => {
  expect([...peaksOf('float32=67,bfloat16=989')]).toEqual([
    ['float32', '67'],
    ['bfloat16', '989'],
  ]);
  expect(peaksOf(undefined).size).toBe(0);
  expect(() => peaksOf('989')).toThrow('float32=67');
});
