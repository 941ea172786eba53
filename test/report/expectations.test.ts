import { report } from '../../src/cli/write-report.js';
import { parseExpectation, unmet, type Expectation } from '../../src/report/expectations.js';
import { accuracies, collect, resultsMaker } from './support.js';
import { metric } from '../support/entries.js';

const results = resultsMaker();
const folder = results(
  'name: ci\njob: {evaluate: [finetune, knn]}\ngrid: {objective: [masked, masked+zoomed-in, blurred+distorted], seed: [0, 1]}',
  (objective, seed, config) => {
    if (config.kind === 'knn') return { accuracy: 5 };
    if (config.kind === 'pretrain') return { loss: objective === 'masked+zoomed-in' && seed === 1 ? 2 : 0.5 };
    return accuracies({ masked: [20, 30], 'masked+zoomed-in': [40, 50], 'distorted+blurred': [7, null] })(
      objective,
      seed,
      config,
    );
  },
);
const data = collect([folder]);

function parse(text: string): Expectation {
  const parsed = parseExpectation(text);
  if ('reason' in parsed) throw new Error(parsed.reason);
  return parsed;
}

test.each(['masked>=20', ' masked >= 2e1 ', 'masked<=30', 'masked>19.9', 'masked<31', 'masked>-1'])(
  '%s is met',
  (text) => {
    expect(unmet(data, metric('finetune'), parse(text))).toBeNull();
  },
);

test.each([
  ['masked>20', 'expected masked>20 (finetune): seed 0 has 20.00 %'],
  ['masked<20', 'expected masked<20 (finetune): seed 0 has 20.00 %, and 1 more of 2 runs'],
  [
    'zoomed-in + masked >= 1',
    expect.stringMatching(/^expected zoomed-in \+ masked >= 1 \(finetune\): seed 1 has .*pre-training/),
  ],
  ['blurred+distorted>=1', 'expected blurred+distorted>=1 (finetune): seed 1 has no result'],
  ['scratch>=1', 'expected scratch>=1: no run of the sweep has the objective scratch'],
])('%s is not met', (text, why) => {
  expect(unmet(data, metric('finetune'), parse(text))).toEqual(why);
});

test('the metric of the report counts', () => {
  expect(unmet(data, metric('knn'), parse('masked>=20'))).toBe(
    'expected masked>=20 (knn): seed 0 has 5.00 %, and 1 more of 2 runs',
  );
});

test.each([
  ['masked', /^expected an objective, one of/],
  ['masked>=', /^expected an objective, one of/],
  ['masked>=x', /^expected an objective, one of/],
  ['masked=>20', /^expected an objective, one of/],
  ['masked>=20 %', /^expected an objective, one of/],
  ['maskd>=20', /^unknown objective "maskd"; did you mean "masked"\?/],
])('%s is refused', (text, reason) => {
  expect(() => parse(text)).toThrow(reason);
});

test('a report exits with 1 if an expectation is not met, and says which', async () => {
  const out = process.stdout.write.bind(process.stdout);
  const err = process.stderr.write.bind(process.stderr);
  let printed = '';
  const keep = (text: string): boolean => {
    printed += text;
    return true;
  };
  const codes: number[] = [];
  try {
    process.stdout.write = keep;
    process.stderr.write = keep;
    for (const text of ['masked>=20', 'masked>=21']) {
      const options = { format: ['csv' as const], allowMissing: true as const, allowUnhealthy: true as const };
      codes.push(await report([folder], { ...options, expect: [parse(text)] }));
    }
  } finally {
    process.stdout.write = out;
    process.stderr.write = err;
  }
  expect(codes).toEqual([0, 1]);
  expect(printed.match(/^error: .*$/gm)).toEqual(['error: expected masked>=21 (finetune): seed 0 has 20.00 %']);
});
