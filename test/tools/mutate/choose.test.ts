import { choose, folderOf } from '../../../tools/mutate/choose.js';
import { mutantsOf } from '../../../tools/mutate/mutants.js';

const numbers = (file: string, count: number) =>
  mutantsOf(file, Array.from({ length: count }, (_, i) => `const x${i} = ${i};`).join('\n'));
const fault = { name: 'a fault', file: 'src/ops/a.ts', find: '5', replace: '55' };
const MUTANTS = [
  ...numbers('src/model/a.ts', 30),
  ...mutantsOf('src/ops/a.ts', 'const x = 5;', [fault]),
  ...numbers('src/data/a.ts', 4),
];

describe('the choice of mutants', () => {
  it('should be of each folder alike as far as it has so many, and hold the named ones', () => {
    const chosen = choose(MUTANTS, 12, 1);
    const counts = ['model', 'data', 'ops'].map((folder) => chosen.filter((one) => folderOf(one) === folder).length);
    expect(counts).toEqual([7, 4, 2]); // the named fault is the thirteenth
    expect(chosen.some(({ name }) => name === 'a fault')).toBe(true);
  });

  it('should be the same for one seed, and another for another', () => {
    const keys = (seed: number) => choose(MUTANTS, 12, seed).map(({ key }) => key);
    expect(keys(1)).toEqual(keys(1));
    expect(keys(2)).not.toEqual(keys(1));
  });

  it('should be all if there are no more', () => {
    expect(choose(MUTANTS, 1000, 1)).toHaveLength(MUTANTS.length);
  });
});
