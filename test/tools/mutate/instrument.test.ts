import { instrument } from '../../../tools/mutate/instrument.js';
import { mutantsOf } from '../../../tools/mutate/mutants.js';

const SOURCE = `
export function price(count: number, each: number): number {
  let total = count * each + 1;
  if (count >= 10 && each > 2) total -= 5;
  return total as number;
}
`;

type Price = (count: number, each: number) => number;

/** The function of the source with one of its mutants in it. */
async function planted(id: number): Promise<Price> {
  const mutants = mutantsOf('src/model/price.ts', SOURCE).map((mutant, i) => ({ ...mutant, id: i + 1 }));
  const code = instrument(SOURCE, mutants, './switch.js').replace(
    /^import .*$/m,
    `const __planted = (other) => other === ${id};`,
  );
  const module = (await import(`data:text/javascript,${encodeURIComponent(code)}`)) as { price: Price };
  return module.price;
}

const idOf = (original: string, replacement: string): number =>
  1 +
  mutantsOf('src/model/price.ts', SOURCE).findIndex(
    (mutant) => mutant.original === original && mutant.replacement === replacement,
  );

describe('an instrumented file', () => {
  it('should compute what its source does if no mutant is planted', async () => {
    const price = await planted(0);
    expect([price(3, 4), price(10, 4)]).toEqual([13, 36]);
  });

  it.each([
    ['count * each', 'count / each', 3, 4, 1.75],
    ['count * each + 1', 'count * each - 1', 3, 4, 11],
    ['count >= 10', 'count > 10', 10, 4, 41],
    ['count >= 10 && each > 2', 'true', 3, 4, 8],
    ['total -= 5', 'total += 5', 10, 4, 46],
    ['total -= 5;', '', 10, 4, 41],
  ])('should compute with %s as %s', async (original, replacement, count, each, expected) => {
    const price = await planted(idOf(original, replacement));
    expect(price(count, each)).toBe(expected);
  });
});
