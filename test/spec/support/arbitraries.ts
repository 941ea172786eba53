/** Random sweeps that are valid, small and written in any order of keys. */
import fc from 'fast-check';

/** Some values of each of these axes; all of them together make possible jobs. */
const VALUES: Record<string, readonly unknown[]> = {
  objective: ['masked', 'identity', 'zoomed-in', 'scratch', 'masked+blurred'],
  maskRatio: [0, 0.5, 0.75],
  misalignment: ['none', 'zoomed-in', 'distorted'],
  stylePreservation: ['preserved', 'decolorized', true, false],
  seed: [0, 1, 2],
  'pretrain.epochs': [5, 10],
  'model.patchSize': [4, 8],
  'data.labelFraction': [0.1, 1],
  'finetune.mixup': [0, 0.8],
};

export interface RawSweep {
  job?: Record<string, unknown>;
  grid?: Record<string, unknown>;
  zip?: Record<string, unknown>;
  include?: Record<string, unknown>[];
  exclude?: Record<string, unknown>[];
}

const axisOf = (key: string) => fc.shuffledSubarray([...VALUES[key]!], { minLength: 1 });

/** A grid over some of the axes, each with distinct values. */
export const grid: fc.Arbitrary<Record<string, unknown[]>> = fc
  .shuffledSubarray(Object.keys(VALUES), { minLength: 1, maxLength: 4 })
  .chain((keys) => fc.record(Object.fromEntries(keys.map((key) => [key, axisOf(key)]))));

const entryOf = (axes: Record<string, unknown[]>) =>
  fc
    .shuffledSubarray(Object.keys(axes), { minLength: 1 })
    .chain((keys) =>
      fc.record(
        Object.fromEntries(
          keys.map((key) => [
            key,
            fc.oneof(fc.constantFrom(...axes[key]!), fc.shuffledSubarray(axes[key]!, { minLength: 1 })),
          ]),
        ),
      ),
    );

/** A whole sweep; `job` never sets what is an axis. */
export const sweep: fc.Arbitrary<RawSweep> = grid.chain((axes) =>
  fc.record(
    {
      job: fc.constantFrom({}, { finetune: { epochs: 5 } }, { evaluate: ['knn', 'finetune'] }),
      grid: fc.constant(axes),
      include: fc.array(grid, { maxLength: 2 }),
      exclude: fc.array(entryOf(axes), { maxLength: 2 }),
    },
    { requiredKeys: ['grid'] },
  ),
);

/** The same value with the keys of every mapping in another order. */
export function reordered(value: unknown, random: () => number): unknown {
  if (Array.isArray(value)) return value.map((item) => reordered(item, random));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries<unknown>({ ...value }).map(([key, member]) => ({ key, member, rank: random() }));
  return Object.fromEntries(
    entries.sort((a, b) => a.rank - b.rank).map(({ key, member }) => [key, reordered(member, random)]),
  );
}
