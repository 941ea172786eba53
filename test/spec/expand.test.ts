import fc from 'fast-check';
import { compareKeys, excludeMatcher } from '../../src/spec/expand.js';
import { MAX_CELLS } from '../../src/spec/sweep.js';
import { describeCell } from '../../src/spec/cells.js';
import { SpecError } from '../../src/spec/problems.js';
import * as arbitrary from './support/arbitraries.js';
import { complaints, plan, read } from './support/sweeps.js';

/** Every cell in words, those left out too. */
const cellsOf = (text: string): string[] => {
  const { cells, leftOut } = read(text);
  return [...cells, ...leftOut].map(({ cell }) => describeCell(cell));
};

/** The plan, or the message if no cell is left. */
function outcome(text: string): unknown {
  try {
    return plan(text);
  } catch (error) {
    if (error instanceof SpecError) return error.problems.map(({ message }) => message);
    throw error;
  }
}

describe('order', () => {
  test('of axes is canonical, the seed running fastest, and of values as written', () => {
    const text = 'grid: {seed: [1, 0], pretrain.epochs: [9, 5], data.labelFraction: 0.5, maskRatio: [0.75, 0.5]}';
    const rest = (epochs: number) => `data.labelFraction 0.5, pretrain.epochs ${epochs}`;
    expect(cellsOf(text)).toEqual(
      [0.75, 0.5].flatMap((ratio) =>
        [9, 5].flatMap((epochs) => [1, 0].map((seed) => `masked, maskRatio ${ratio}, seed ${seed}, ${rest(epochs)}`)),
      ),
    );
  });

  test('of keys puts the triple first and the seed last', () => {
    const keys = [
      'seed',
      'pretrain.epochs',
      'stylePreservation',
      'data.name',
      'misalignment',
      'objective',
      'maskRatio',
    ];
    expect(keys.sort(compareKeys)).toEqual([
      'objective',
      'maskRatio',
      'misalignment',
      'stylePreservation',
      'data.name',
      'pretrain.epochs',
      'seed',
    ]);
  });

  test('does not depend on the order of keys in the file', () => {
    fc.assert(
      fc.property(arbitrary.sweep, fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })), (raw, numbers) => {
        const random = (): number => {
          const next = numbers.next();
          return next.done === true ? 0 : next.value;
        };
        const shuffled = JSON.stringify(arbitrary.reordered(raw, random));
        expect(outcome(shuffled)).toEqual(outcome(JSON.stringify(raw)));
      }),
    );
  });
});

describe('groups of keys in axes', () => {
  test('are their dotted names, in every section', () => {
    const nested = plan(
      'grid: {pretrain: {epochs: [5, 6]}, model: {decoder: {depth: [1, 2]}}}\nzip: {knn: {k: [1, 2]}, seed: [0, 1]}\n' +
        'include: [{objective: scratch, finetune: {epochs: 9, scratchLayerDecay: 1}, model: {}}]\nexclude: [{knn: {k: 2}, model.decoder: {depth: 2}}]',
    );
    const dotted = plan(
      'grid: {pretrain.epochs: [5, 6], model.decoder.depth: [1, 2]}\nzip: {knn.k: [1, 2], seed: [0, 1]}\n' +
        'include: [{objective: scratch, finetune.epochs: 9, finetune.scratchLayerDecay: 1}]\nexclude: [{knn.k: 2, model.decoder.depth: 2}]',
    );
    expect(nested).toEqual(dotted);
  });

  test('cannot repeat a dotted name', () => {
    expect(complaints('include:\n  - {pretrain.epochs: 5, pretrain: {epochs: 6}}')).toEqual([
      '2:37 "pretrain.epochs" is written twice in include[0], nested and by its dotted name; keep one',
    ]);
  });
});

describe('null', () => {
  test('in a list leaves a key unset, which only the other cells name', () => {
    const { cells } = read('job: {pretrain: {clipGradient: 2}}\ngrid: {pretrain.clipGradient: [null, 1]}');
    expect(cells.map(({ cell, job }) => [cell.overrides, job.pretrain.clipGradient])).toEqual([
      [{}, undefined],
      [{ 'pretrain.clipGradient': 1 }, 1],
    ]);
  });

  test('in an include unsets what job sets, so that another data set fits', () => {
    const text =
      'job: {data: {name: image-folder, path: a, imageSize: 48}}\ninclude:\n  - {data.name: [image-folder]}\n' +
      '  - {data: {name: cifar10, path: null, imageSize: null}}';
    expect(read(text).cells.map(({ job }) => job.data.imageSize)).toEqual([48, 32]);
  });

  test('in exclude matches cells that leave a key unset', () => {
    const text =
      'grid: {pretrain.clipGradient: [null, 1], seed: [0, 1]}\nexclude: [{pretrain.clipGradient: [null], seed: 0}]';
    expect(cellsOf(text)).toHaveLength(3);
  });

  test('by itself in a grid is a value that was forgotten', () => {
    expect(complaints('grid:\n  seed:\n  knn: {k: null}')).toEqual([
      '2:3 grid.seed has no value; write one, or [null] to leave the key unset',
      '3:12 grid.knn.k has no value; write one, or [null] to leave the key unset',
    ]);
  });
});

describe('grid', () => {
  test('of nothing is the one default job', () => {
    expect(cellsOf('name: a')).toEqual(['masked, seed 0']);
    expect(cellsOf('grid: {}')).toEqual(['masked, seed 0']);
  });

  test('takes a single value for a list of one', () => {
    expect(cellsOf('grid: {maskRatio: 0.5, seed: [0, 1]}')).toEqual([
      'masked, maskRatio 0.5, seed 0',
      'masked, maskRatio 0.5, seed 1',
    ]);
  });

  test('takes list-valued keys as lists of lists', () => {
    const { cells } = read('grid: {evaluate: [[knn], [finetune, linear]], pretrain.cropScale: [[0.2, 1], [0.5, 1]]}');
    expect(cells.map(({ job }) => [job.evaluate, job.pretrain.cropScale])).toEqual([
      [['knn'], [0.2, 1]],
      [['knn'], [0.5, 1]],
      [
        ['finetune', 'linear'],
        [0.2, 1],
      ],
      [
        ['finetune', 'linear'],
        [0.5, 1],
      ],
    ]);
  });

  test('overrules the defaults of job', () => {
    expect(cellsOf('job: {seed: 5, maskRatio: 0.25}\ngrid: {seed: [0, 1]}')).toEqual([
      'masked, maskRatio 0.25, seed 0',
      'masked, maskRatio 0.25, seed 1',
    ]);
  });

  test('merges equal cells, however the value is written', () => {
    expect(cellsOf('grid: {seed: [0, 0], objective: [masked+zoomed-in, zoomed-in + masked]}')).toEqual([
      'masked+zoomed-in, seed 0',
    ]);
    expect(read('grid: {objective: zoomed-out, degradation.zoomedOut.fraction: [0.5, 1/2]}').cells).toHaveLength(1);
  });

  test('has as many cells as the product of its axes', () => {
    fc.assert(
      fc.property(arbitrary.grid, (axes) => {
        const text = JSON.stringify({ grid: axes });
        // A sweep in which all cells contradict themselves is refused; its cells cannot be counted from outside.
        const found = outcome(text);
        fc.pre(!Array.isArray(found));
        expect(cellsOf(text)).toHaveLength(Object.values(axes).reduce((product, values) => product * values.length, 1));
      }),
    );
  });

  test('is refused when it is absurdly large', () => {
    const seeds = JSON.stringify(Array.from({ length: 200 }, (_, seed) => seed));
    expect(complaints(`grid: {seed: ${seeds}, knn.k: ${seeds.replace('0,', '')}, model.depth: [1, 2]}`)).toEqual([
      `1:1 the sweep has ${200 * 199 * 2} cells before exclude; the most is ${MAX_CELLS}`,
    ]);
  });
});

describe('zip', () => {
  test('moves its axes together, in the place of the first of them', () => {
    expect(
      cellsOf('zip: {seed: [5, 6], maskRatio: [0.5, 0.75]}\ngrid: {objective: [masked, distorted], knn.k: [1, 2]}'),
    ).toEqual(
      ['masked', 'distorted'].flatMap((objective) =>
        [
          [0.5, 5],
          [0.75, 6],
        ].flatMap(([ratio, seed]) => [1, 2].map((k) => `${objective}, maskRatio ${ratio}, seed ${seed}, knn.k ${k}`)),
      ),
    );
  });

  test('needs lists of one length', () => {
    expect(complaints('zip:\n  seed: [0, 1]\n  model.depth: [1, 2, 3]\n')).toEqual([
      '1:1 the lists of a zip must be equally long: seed 2, model.depth 3',
    ]);
  });

  test('can be one of several, each an axis of the product', () => {
    const text =
      'zip: [{seed: [0, 1], maskRatio: [0.5, 0.6]}, {pretrain.epochs: [5, 6], pretrain.batchSize: [32, 64]}]\ngrid: {knn.k: 3}';
    expect(cellsOf(text)).toEqual(
      [
        ['maskRatio 0.5', 'seed 0'],
        ['maskRatio 0.6', 'seed 1'],
      ].flatMap(([ratio, seed]) =>
        [
          [32, 5],
          [64, 6],
        ].map(
          ([batch, epochs]) =>
            `masked, ${ratio!}, ${seed!}, knn.k 3, pretrain.batchSize ${batch!}, pretrain.epochs ${epochs!}`,
        ),
      ),
    );
    expect(cellsOf('include: [{objective: scratch, zip: [{seed: [0, 1]}, {knn.k: [1, 2]}]}]')).toHaveLength(4);
  });

  test('cannot share an axis with another zip, and each is equally long', () => {
    expect(complaints('zip:\n  - {seed: [0, 1], knn.k: [2]}\n  - {seed: [2, 3]}')).toEqual([
      '2:5 the lists of a zip must be equally long: seed 2, knn.k 1',
      '3:6 "seed" is an axis of two zips; keep one',
    ]);
  });

  test('cannot share an axis with its grid', () => {
    expect(complaints('grid: {seed: [0, 1]}\nzip: {seed: [2, 3]}')).toEqual([
      '2:7 "seed" is an axis of both the grid and its zip; keep one',
    ]);
  });
});

describe('include', () => {
  test('adds grids of their own over the defaults of job', () => {
    expect(
      cellsOf('job: {maskRatio: 0.5}\ngrid: {seed: [0, 1]}\ninclude: [{objective: scratch, seed: 3}, {knn.k: [1, 2]}]'),
    ).toEqual([
      'masked, maskRatio 0.5, seed 0',
      'masked, maskRatio 0.5, seed 1',
      'scratch, maskRatio 0.5, seed 3',
      'masked, maskRatio 0.5, seed 0, knn.k 1',
      'masked, maskRatio 0.5, seed 0, knn.k 2',
    ]);
  });

  test('is the whole sweep when there is no grid', () => {
    expect(cellsOf('include: [{seed: [1, 2]}, {seed: 2}]')).toEqual(['masked, seed 1', 'masked, seed 2']);
  });

  test('pairs lists by a zip of its own', () => {
    expect(cellsOf('include: [{objective: distorted, zip: {seed: [1, 2], model.depth: [3, 4]}}]')).toEqual([
      'distorted, seed 1, model.depth 3',
      'distorted, seed 2, model.depth 4',
    ]);
    expect(complaints('include: [{zip: {seed: [1, 2], model.depth: [3]}}]')).toEqual([
      '1:12 the lists of a zip must be equally long: seed 2, model.depth 1',
    ]);
  });
});

describe('exclude', () => {
  test('drops the cells that match every key of an entry', () => {
    const text = 'grid: {objective: [masked, distorted], seed: [0, 1, 2]}\nexclude: [{objective: masked, seed: 1}]';
    expect(cellsOf(text)).toEqual([
      'masked, seed 0',
      'masked, seed 2',
      'distorted, seed 0',
      'distorted, seed 1',
      'distorted, seed 2',
    ]);
  });

  test('takes a list as any of its values', () => {
    expect(cellsOf('grid: {seed: [0, 1, 2]}\nexclude: [{seed: [0, 2]}]')).toEqual(['masked, seed 1']);
  });

  test('reaches includes, and values that a cell has from job or by default', () => {
    const text =
      'job: {maskRatio: 0.5}\ngrid: {maskRatio: 0.75, seed: 1}\ninclude: [{knn.k: 1}, {knn.k: 2, seed: 4}]\n';
    expect(cellsOf(`${text}exclude: [{maskRatio: 0.5, seed: 0}]`)).toEqual([
      'masked, maskRatio 0.75, seed 1',
      'masked, maskRatio 0.5, seed 4, knn.k 2',
    ]);
  });

  test('takes true for preserved and any spelling of an objective', () => {
    expect(excludeMatcher([{ stylePreservation: [true] }])(() => 'preserved')).toEqual([0]);
    expect(excludeMatcher([{ stylePreservation: [false] }])(() => 'decolorized')).toEqual([]);
    expect(cellsOf('grid: {objective: [masked+blurred, masked]}\nexclude: [{objective: blurred+masked}]')).toEqual([
      'masked, seed 0',
    ]);
  });

  test('spares cells from the checks of what is impossible', () => {
    expect(cellsOf('grid: {model.patchSize: [4, 5]}\nexclude: [{model.patchSize: 5}]')).toHaveLength(1);
  });

  test('may not be empty, name what is no axis, or drop everything', () => {
    expect(complaints('grid: {seed: [0, 1]}\nexclude:\n  - {}\n  - {model.depth: 3}\n')).toEqual([
      '3:5 an empty entry of exclude matches every cell; name the keys to match',
      '4:6 "model.depth" is no axis of this sweep, so no cell differs by it (its axes are seed)',
    ]);
    expect(complaints('grid: {seed: 0}\nexclude: [{seed: 0}]')).toEqual([
      '2:1 exclude drops every cell; nothing is left to run',
    ]);
  });

  test('never leaves a cell that an entry matches', () => {
    fc.assert(
      fc.property(arbitrary.sweep, (raw) => {
        const found = outcome(JSON.stringify(raw));
        fc.pre(!Array.isArray(found));
        const { cells, leftOut } = read(JSON.stringify(raw));
        for (const { cell } of [...cells, ...leftOut]) {
          const values: Record<string, unknown> = { ...cell, ...cell.overrides };
          for (const entry of raw.exclude ?? []) {
            const matches = Object.entries(entry).every(([key, wanted]) => {
              const style = (value: unknown) => (value === true ? 'preserved' : value);
              // Keys that the cell does not vary have their defaults; of these axes only patchSize has none.
              const defaults: Record<string, unknown> = {
                'pretrain.epochs': 20,
                'data.labelFraction': 1,
                'finetune.mixup': 0.8,
              };
              const own = values[key] ?? defaults[key];
              return [wanted].flat().some((value) => style(value) === style(own));
            });
            expect(matches).toBe(false);
          }
        }
      }),
    );
  });
});
