import fc from 'fast-check';
import { didYouMean, editDistance, nearest } from '../../src/spec/suggest.js';

describe('editDistance', () => {
  test.each([
    ['', '', 0],
    ['', 'abc', 3],
    ['masked', 'masked', 0],
    ['maskd', 'masked', 1],
    ['maksed', 'masked', 1],
    ['knn', 'linear', 5],
    ['ca', 'abc', 3],
  ])('counts the edits from %j to %j', (a, b, edits) => {
    expect(editDistance(a, b)).toBe(edits);
  });

  test('is symmetric and bounded by the lengths', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 });
    fc.assert(
      fc.property(word, word, (a, b) => {
        const distance = editDistance(a, b);
        expect(editDistance(b, a)).toBe(distance);
        expect(distance).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
        expect(distance === 0).toBe(a === b);
      }),
    );
  });
});

describe('nearest', () => {
  const choices = ['maskRatio', 'misalignment', 'seed', 'zoomed-in', 'zoomed-out'];

  test('overlooks case and joints', () => {
    expect(nearest('mask_ratio', choices)).toBe('maskRatio');
    expect(nearest('Zoomed In', choices)).toBe('zoomed-in');
  });

  test('finds the nearer of two near names', () => {
    expect(nearest('zoomed-ot', choices)).toBe('zoomed-out');
  });

  test('finds nothing when no name is near', () => {
    expect(nearest('learningRate', choices)).toBeUndefined();
    expect(didYouMean('learningRate', choices)).toBe('');
  });
});
