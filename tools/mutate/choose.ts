/** Chooses the mutants to plant: a seeded draw with the same number from each folder. */
import { sha, type Mutant } from './mutants.js';

/** The folders of src/ whose code is mutated. */
export const FOLDERS = [
  'training',
  'report',
  'task',
  'objectives',
  'model',
  'ops',
  'data',
  'spec',
  'runner',
  'store',
] as const;

export const folderOf = ({ file }: Pick<Mutant, 'file'>): string => file.split('/')[1]!;

/**
 * Draws `count` mutants, the same number from each folder if it has enough, and all named ones.
 *
 * A mutant's rank in the draw is the hash of the seed and the mutant, so that a change of the sources changes few
 * others.
 */
export function choose<T extends Mutant>(mutants: readonly T[], count: number, seed: number): T[] {
  const folders = [...new Set(mutants.map(folderOf))];
  const queues = folders.map((folder) =>
    mutants
      .filter((mutant) => mutant.name === undefined && folderOf(mutant) === folder)
      .map((mutant) => ({ mutant, place: sha(`${seed} ${mutant.key}`) }))
      .sort((a, b) => (a.place < b.place ? -1 : 1))
      .map(({ mutant }) => mutant),
  );
  const chosen = new Set(mutants.filter(({ name }) => name !== undefined));
  const total =
    Math.min(
      count,
      queues.reduce((sum, { length }) => sum + length, 0),
    ) + chosen.size;
  for (let round = 0; chosen.size < total; round++) {
    for (const queue of queues) {
      const mutant = queue[round];
      if (mutant !== undefined && chosen.size < total) chosen.add(mutant);
    }
  }
  return mutants.filter((mutant) => chosen.has(mutant));
}
