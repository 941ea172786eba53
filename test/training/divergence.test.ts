/** When a training has diverged, with losses computed by hand. */
import { TrainingError } from '../../src/common/errors.js';
import { checkFinish, checkReading } from '../../src/training/divergence.js';

const failureOf = (check: () => void): unknown => {
  try {
    check();
    return null;
  } catch (error) {
    return error instanceof TrainingError ? error.failure : error;
  }
};

/** Of 320 shapes with a peak rate a thousand times too large: the zero prediction's loss is 0.936. */
const levels = { first: 1.31, baseline: 0.936 };

describe('a reading', () => {
  it.each([[154495], [238], [19.9], [NaN], [Infinity]])('of %f has diverged', (loss) => {
    expect(
      failureOf(() => {
        checkReading(loss, [0, 20], levels);
      }),
    ).toBe('diverged');
  });

  it.each([[13], [1.07], [6.66], [2.01], [0.5]])('of %f has not yet', (loss) => {
    expect(
      failureOf(() => {
        checkReading(loss, [0, 20], levels);
      }),
    ).toBeNull();
  });

  it('is judged by the larger of the two levels', () => {
    // Fine-tuning on ten classes begins at about ln 10, even if the loss of the first batch is lower.
    expect(
      failureOf(() => {
        checkReading(23.1, [0, 20], { first: 0.1, baseline: Math.log(10) });
      }),
    ).toBe('diverged');
    expect(
      failureOf(() => {
        checkReading(22.9, [0, 20], { first: 0.1, baseline: Math.log(10) });
      }),
    ).toBeNull();
  });

  it('has not diverged at ten times the larger level, and has above', () => {
    const check = (loss: number) => () => {
      checkReading(loss, [0, 20], { first: 2, baseline: 1 });
    };
    expect([20, 20.1].map((loss) => failureOf(check(loss)))).toEqual([null, 'diverged']);
  });

  it('names the steps, both levels and the remedy', () => {
    expect(() => {
      checkReading(238, [20, 40], levels);
    }).toThrow(
      'the loss was 238.0 between step 20 and step 40, 1.310 in the first step and 0.9360 for a ' +
        'prediction that uses no image; lower baseLearningRate, lengthen warmupEpochs or set clipGradient',
    );
  });
});

describe('an end', () => {
  it.each([
    ['pre-training that ends at 2.01', 2.01, levels],
    ['fine-tuning that ends at 9.35', 9.35, { first: 2.3, baseline: Math.log(10) }],
  ])('of %s has diverged', (_what, loss, own) => {
    expect(
      failureOf(() => {
        checkFinish(loss, own);
      }),
    ).toBe('diverged');
  });

  it('no better than a prediction that uses no image, but no worse than the first step, is complete', () => {
    expect(
      failureOf(() => {
        checkFinish(1.2, levels);
      }),
    ).toBeNull();
    // With few steps the loss fluctuates about that of equal odds.
    expect(
      failureOf(() => {
        checkFinish(2.4, { first: 2.3026, baseline: Math.log(10) });
      }),
    ).toBeNull();
  });

  it('has not diverged up to a tenth above the larger level, and has beyond', () => {
    const check = (loss: number) => () => {
      checkFinish(loss, { first: 1, baseline: 2 });
    };
    expect([2.2, 2.21].map((loss) => failureOf(check(loss)))).toEqual([null, 'diverged']);
  });
});
