/** Intervals, tests and rank correlations against SciPy's. inference.py writes the fixture. */
import { stream } from '../../src/common/random.js';
import { bootstrapInterval } from '../../src/statistics/bootstrap.js';
import { studentInterval } from '../../src/statistics/interval.js';
import { signFlipTest } from '../../src/statistics/sign-flip.js';
import { centralStudent } from '../../src/statistics/student.js';
import { kendall, spearman } from '../../src/statistics/summary.js';
import { readFixture } from './fixture.js';

interface Fixture {
  student: { probability: number; degrees: number; t: number }[];
  samples: { values: number[]; student: [number, number]; bootstrap: [number, number]; signFlip: number }[];
  correlations: { pairs: [number, number][]; spearman: number; kendall: number }[];
}

const fixture = readFixture('inference') as Fixture;

test.each(fixture.student)("Student's t: $probability with $degrees degrees", ({ probability, degrees, t }) => {
  expect(centralStudent(probability, degrees) / t).toBeCloseTo(1, 10);
});

describe.each(fixture.samples.map((sample) => ({ n: sample.values.length, ...sample })))(
  '$n values',
  ({ n, values, student, bootstrap, signFlip }) => {
    test("have Student's interval", () => {
      studentInterval(values)!.forEach((bound, i) => {
        expect(bound).toBeCloseTo(student[i]!, 10);
      });
    });

    // If there are few resamples and signs, all are evaluated; otherwise both programs draw them.
    test('have the percentile bootstrap interval', () => {
      const own = bootstrapInterval(values, stream(0, 'test'))!;
      own.forEach((bound, i) => {
        expect(bound).toBeCloseTo(bootstrap[i]!, n <= 5 ? 10 : 1);
      });
    });

    test('have the sign-flip test', () => {
      expect(signFlipTest(values, stream(0, 'test'))).toBeCloseTo(signFlip, n <= 14 ? 12 : 1.5);
    });
  },
);

test.each(fixture.correlations.map((each) => ({ n: each.pairs.length, ...each })))(
  'rank correlations of $n pairs',
  ({ pairs, ...expected }) => {
    expect(spearman(pairs)).toBeCloseTo(expected.spearman, 12);
    expect(kendall(pairs)).toBeCloseTo(expected.kendall, 12);
  },
);
