import { instrument } from '../../../tools/mutate/instrument.js';
import { mutantsOf } from '../../../tools/mutate/mutants.js';

const SOURCE = `
export function price(count: number, each: number): number {
  let total = count * each + 1;
  if (count >= 10 && each > 2) total -= 5;
  return total as number;
}
`;

/** The function of the source with one of its mutants in it. */
function planted(id: number): (count: number, each: number) => number {
  const mutants = mutantsOf('src/model/price.ts', SOURCE).map((mutant, i) => ({ ...mutant, id: i + 1 }));
  const code = instrument(SOURCE, mutants, './switch.js')
    .replace(/^import .*$/m, '')
    .replace('export ', '');
  return new Function('__planted', `${code}; return price;`)((other: number) => other === id) as typeof price;
  function price(): number {
    return 0;
  }
}

const idOf = (original: string, replacement: string): number =>
  1 +
  mutantsOf('src/model/price.ts', SOURCE).findIndex(
    (mutant) => mutant.original === original && mutant.replacement === replacement,
  );

describe('an instrumented file', () => {
  it('should compute what its source does where no mutant is planted', () => {
    expect(planted(0)(3, 4)).toBe(13);
    expect(planted(0)(10, 4)).toBe(36);
  });

  it.each([
    ['count * each', 'count / each', 3, 4, 1.75],
    ['count * each + 1', 'count * each - 1', 3, 4, 11],
    ['count >= 10', 'count > 10', 10, 4, 41],
    ['count >= 10 && each > 2', 'true', 3, 4, 8],
    ['total -= 5', 'total += 5', 10, 4, 46],
    ['total -= 5;', '', 10, 4, 41],
  ])('should compute with %s as %s', (original, replacement, count, each, expected) => {
    expect(planted(idOf(original, replacement))(count, each)).toBe(expected);
  });
});
