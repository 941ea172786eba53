import { planOf, resultOf } from '../runner/support.js';
import { objectivesTable } from '../../src/report/tables/objectives.js';
import { namedTask } from '../../src/report/paper.js';
import { accuracies, collect, collectedFrom, dataOf, pick, resultsMaker } from './support.js';
import { metric } from '../support/entries.js';

const results = resultsMaker();
const ALL = '[scratch, decolorized, blurred, distorted, zoomed-out, zoomed-in, masked, masked+zoomed-in]';
const tableOf = (...folders: string[]) => objectivesTable(collect(folders), { metric: metric('finetune') });

describe("a sweep over the paper's objectives", () => {
  const folder = results(
    `grid: {objective: ${ALL}, seed: [0, 1, 2]}`,
    accuracies({
      scratch: [40, 44, null],
      blurred: [46, 46, null],
      decolorized: [43, 43, null],
      distorted: [48, 48, null],
      'zoomed-out': [47, 47, null],
      'zoomed-in': [50, 52, null],
      masked: [51, 53, null],
      'masked+zoomed-in': [60, 60, 70],
    }),
  );
  const table = tableOf(folder);

  test("has the paper's rows in order, with mean, deviation and count over the seeds", () => {
    expect(pick(table, 'objective', 'mean', 'std', 'n', 'planned')).toEqual([
      ['scratch', 42, Math.sqrt(8), 2, 3],
      ['blurred', 46, 0, 2, 3],
      ['decolorized', 43, 0, 2, 3],
      ['distorted', 48, 0, 2, 3],
      ['zoomed-out', 47, 0, 2, 3],
      ['zoomed-in', 51, Math.sqrt(2), 2, 3],
      ['masked', 52, Math.sqrt(2), 2, 3],
      // 60, 60 and 70: deviations −10/3, −10/3 and 20/3, squares 600/9, halved.
      ['masked+zoomed-in', 190 / 3, expect.closeTo(Math.sqrt(100 / 3), 10), 3, 3],
    ]);
  });

  test("ranks them beside the paper's ranks, and correlates the two", () => {
    expect(pick(table, 'rank', 'paper_rank', 'paper_accuracy', 'gain_over_scratch')).toEqual([
      [8, 8, 80.7, null],
      [6, 6, 81.8, 4],
      [7, 7, 81.4, 1],
      [4, 5, 82.1, 6],
      [5, 4, 82.5, 5],
      [3, 3, 82.7, 9],
      [2, 2, 82.9, 10],
      [1, 1, 83.2, 18], // 60 − 40 and 60 − 44
    ]);
    // Two neighbours swapped: Σd² = 2.
    expect(table.summary.spearman).toBeCloseTo(1 - (6 * 2) / (8 * 63), 12);
    expect(table.summary.kendall).toBeCloseTo(1 - 2 / 28, 12); // one of 28 pairs is reversed
    expect(table.caption).toContain(
      "Rank correlation with the paper: Spearman's 0.98 (p < 0.001, single seeds 0.95 to 0.98), " +
        "Kendall's τ-b 0.93 (p < 0.001, single seeds 0.86 to 0.93), from means over seeds 0, 1, which all 8 rows have.",
    );
    // Of 40,320 orders the identity and 7 swaps of neighbours have τ of .93 or more, and as many −.93 or less.
    expect(table.summary.kendall_p).toBeCloseTo(16 / 40320, 12);
  });

  test('names the triple, the metric and the epoch that was read', () => {
    expect(pick(table, 'mask_ratio', 'misalignment', 'style', 'setting', 'metric', 'epoch')).toEqual([
      [null, null, null, '', 'finetune', 20],
      [0, 'none', 'blurred', '', 'finetune', 20],
      [0, 'none', 'decolorized', '', 'finetune', 20],
      [0, 'distorted', 'preserved', '', 'finetune', 20],
      [0, 'zoomed-out', 'preserved', '', 'finetune', 20],
      [0, 'zoomed-in', 'preserved', '', 'finetune', 20],
      [0.75, 'none', 'preserved', '', 'finetune', 20],
      [0.75, 'zoomed-in', 'preserved', '', 'finetune', 20],
    ]);
  });
});

describe('rows of unequal seeds', () => {
  const specOf = 'grid: {objective: [scratch, zoomed-in, masked], seed: [0, 1]}';

  test('are ranked over the seeds that all have, and one seed correlates with nothing', () => {
    // Over all seeds masked (45) would be the worst of the three; over seed 0 it is the best.
    const folder = results(specOf, accuracies({ scratch: [46, null], 'zoomed-in': [50, null], masked: [60, 30] }));
    const table = tableOf(folder);
    const rows = table.rows.filter(({ n }) => n !== 0);
    expect(pick({ rows }, 'objective', 'mean', 'rank', 'gain_over_scratch')).toEqual([
      ['scratch', 46, 3, null],
      ['zoomed-in', 50, 2, 4],
      ['masked', 45, 1, 14],
    ]);
    expect(table.summary.spearman).toBeNull();
    expect(table.caption).toContain('No rank correlation with the paper: only one seed (0) has a result of every row.');
  });

  test('are not compared if no seed is common', () => {
    const folder = results(specOf, accuracies({ scratch: [46, null], 'zoomed-in': [null, 50], masked: [60, 30] }));
    const { rows, summary, caption } = tableOf(folder);
    expect(rows.map(({ rank }) => rank)).toEqual(rows.map(() => null));
    expect(summary.spearman).toBeNull();
    expect(caption).toContain('No rank correlation with the paper: no seed has a result of every row.');
  });
});

test('equal means share their ranks', () => {
  const folder = results(
    'grid: {objective: [scratch, zoomed-in, masked]}',
    accuracies({ scratch: [40], 'zoomed-in': [50], masked: [50] }),
  );
  const rows = tableOf(folder).rows.filter(({ n }) => n === 1);
  expect(pick({ rows }, 'objective', 'rank')).toEqual([
    ['scratch', 3],
    ['zoomed-in', 1.5],
    ['masked', 1.5],
  ]);
});

describe('what is missing stays visible', () => {
  test('as an empty row with n = 0, planned or not', () => {
    const table = tableOf(results('grid: {objective: [scratch, masked]}', accuracies({ scratch: [40] })));
    expect(table.rows).toHaveLength(8);
    const row = table.rows.find(({ objective }) => objective === 'masked');
    expect(row).toMatchObject({
      mean: null,
      std: null,
      n: 0,
      planned: 1,
      rank: null,
      gain_over_scratch: null,
      epoch: null,
    });
    expect(table.rows.find(({ objective }) => objective === 'blurred')).toMatchObject({
      n: 0,
      planned: 0,
      paper_rank: 6,
    });
  });

  test('and no correlation is made up from fewer than three rows', () => {
    const table = tableOf(results('grid: {objective: [scratch, masked]}', accuracies({ scratch: [40], masked: [50] })));
    expect(Object.values(table.summary)).toEqual(Array(8).fill(null));
    expect(table.caption).toContain('No rank correlation with the paper: fewer than three of its rows have a result.');
    expect(tableOf(results('grid: {objective: [masked]}', () => null)).summary).toEqual({});
  });
});

describe('a row is found by its triple', () => {
  test('with any name of the cell', () => {
    const yaml =
      'grid: {objective: [identity], maskRatio: [0, 0.5, 0.75], misalignment: [none, zoomed-in], seed: [0, 1]}';
    const table = objectivesTable(dataOf(planOf(yaml), { accuracy: 50 }), { metric: metric('finetune') });
    expect(pick({ rows: table.rows.filter(({ n }) => n !== 0) }, 'objective', 'n', 'rank', 'paper_rank')).toEqual([
      ['identity', 2, null, null],
      ['zoomed-in', 2, 2, 3],
      ['masked', 2, 2, 2],
      ['masked+zoomed-in', 2, 2, 1],
      // Mask ratio 0.5, which the paper does not report.
      ['masked', 2, null, null],
      ['masked+zoomed-in', 2, null, null],
    ]);
  });

  test('and tasks that the paper does not report come after its own, without its numbers', () => {
    const yaml =
      'grid: {objective: [scratch, blurred, masked], seed: [0, 1]}\n' +
      'include: [{objective: zoomed-in+decolorized}, {objective: masked+distorted}, {objective: masked, maskRatio: 0.5}]';
    const values: Record<string, number> = { scratch: 30, blurred: 40, masked: 50, 'masked+distorted': 90 };
    const plan = planOf(yaml);
    const table = objectivesTable(
      collectedFrom(plan, ({ task, seed }, kind) => {
        const { objective, maskRatio } = namedTask(task);
        return resultOf(kind, { accuracy: maskRatio === 0.5 ? 80 : (values[objective] ?? 70) + seed });
      }),
      { metric: metric('finetune') },
    );
    const rows = table.rows.filter(({ n }) => n !== 0);
    const numbers = ['mean', 'gain_over_scratch', 'rank', 'paper_accuracy', 'paper_rank'];
    expect(pick({ rows }, 'objective', 'setting', 'mask_ratio', ...numbers)).toEqual([
      ['scratch', '', null, 30.5, null, 3, 80.7, 8],
      ['blurred', '', 0, 40.5, 10, 2, 81.8, 6],
      ['masked', 'maskRatio=0.75', 0.75, 50.5, 20, 1, 82.9, 2],
      ['masked', 'maskRatio=0.5', 0.5, 80, 50, null, null, null],
      ['masked+distorted', 'maskRatio=0.75', 0.75, 90, 60, null, null, null],
      ['zoomed-in+decolorized', '', 0, 70, 40, null, null, null],
    ]);
    // Of the three rows that the paper reports; a fourth would give no correlation of 1.
    expect(table.summary).toMatchObject({ spearman: 1, kendall: 1 });
    expect(table.caption).toContain('from means over seeds 0, 1, which all 3 rows have');
  });

  test("and a zoom that is not the paper's is reported", () => {
    const yaml =
      'job: {degradation: {zoomedIn: {fraction: 224/288}}}\ngrid: {objective: [zoomed-in, masked+zoomed-in], seed: [0, 1]}';
    const { caption } = objectivesTable(dataOf(planOf(yaml)), { metric: metric('finetune') });
    expect(caption.match(/zoomed-in zooms/g)).toHaveLength(1);
    expect(caption).toContain('zoomed-in zooms by 0.778, but in the paper by 0.714.');
  });
});

describe('settings', () => {
  const rowsOf = (yaml: string, name: 'finetune' | 'knn' = 'finetune') => {
    const table = objectivesTable(dataOf(planOf(yaml)), { metric: metric(name) });
    return { ...table, rows: table.rows.filter(({ planned }) => planned !== 0) };
  };

  test('are told apart if jobs differ in more than objective and seed', () => {
    const yaml = 'grid: {objective: [scratch, masked], model.depth: [2, 4], seed: [0, 1]}';
    expect(pick(rowsOf(yaml), 'objective', 'setting', 'n')).toEqual([
      ['scratch', 'model.depth=2', 2],
      ['scratch', 'model.depth=4', 2],
      ['masked', 'model.depth=2', 2],
      ['masked', 'model.depth=4', 2],
    ]);
  });

  test('have the name of a variant in place of its mask ratio', () => {
    const yaml =
      'variants: {masks: {light: {maskRatio: 0.5}, heavy: {maskRatio: 0.75}}}\ngrid: {objective: [masked, masked+blurred]}';
    expect(pick(rowsOf(yaml), 'objective', 'setting')).toEqual([
      ['masked', 'masks=heavy'],
      ['masked', 'masks=light'],
      ['masked+blurred', 'masks=light'],
      ['masked+blurred', 'masks=heavy'],
    ]);
  });

  test('have the names of variants in place of all keys that differ between them', () => {
    const yaml =
      'variants: {size: {small: {model: {preset: vit-ti}, finetune: {mixup: 0}}, base: {model: {preset: vit-b, patchSize: 8}}}}\n' +
      'grid: {objective: [scratch, masked], pretrain.epochs: [5, 10], seed: [0, 1]}';
    expect(pick(rowsOf(yaml), 'objective', 'setting', 'n')).toEqual([
      ['scratch', 'size=small', 2],
      ['scratch', 'size=base', 2],
      ['masked', 'size=small pretrain.epochs=5', 2],
      ['masked', 'size=base pretrain.epochs=5', 2],
      ['masked', 'size=small pretrain.epochs=10', 2],
      ['masked', 'size=base pretrain.epochs=10', 2],
    ]);
  });

  test('of variants are compared within themselves, and scratch with all that it does not differ from', () => {
    const folder = results(
      'variants: {length: {short: {pretrain: {epochs: 5}}, long: {pretrain: {epochs: 10}}}}\n' +
        'grid: {objective: [scratch, zoomed-in, masked], seed: [0, 1]}',
      (objective, seed, config) => {
        if (objective === 'scratch' || config.kind === 'pretrain') return { accuracy: 40 + seed };
        return { accuracy: (objective === 'masked' ? 50 : 45) + seed };
      },
    );
    const table = tableOf(folder);
    const rows = table.rows.filter(({ n }) => n !== 0);
    expect(pick({ rows }, 'objective', 'setting', 'rank', 'gain_over_scratch')).toEqual([
      ['scratch', '', null, null],
      ['zoomed-in', 'length=short', 2, 5],
      ['zoomed-in', 'length=long', 2, 5],
      ['masked', 'length=short', 1, 10],
      ['masked', 'length=long', 1, 10],
    ]);
    expect(table.summary['spearman length=short']).toBeCloseTo(1, 12);
  });

  test('name a variant only if it decides the keys that differ', () => {
    const yaml =
      'variants: {recipe: {a: {finetune: {mixup: 0}}, b: {linear: {epochs: 9}}}}\n' +
      'job: {evaluate: [finetune, knn]}\ngrid: {objective: masked, model.depth: [2, 4]}';
    expect(pick(rowsOf(yaml, 'knn'), 'setting')).toEqual([['model.depth=2'], ['model.depth=4']]);
    expect(pick(rowsOf(yaml), 'setting')).toEqual([
      ['recipe=a model.depth=2'],
      ['recipe=b model.depth=2'],
      ['recipe=a model.depth=4'],
      ['recipe=b model.depth=4'],
    ]);
  });

  test('are compared within themselves only; scratch has no pre-training to differ in', () => {
    const folder = results(
      'job: {pretrain: {warmupEpochs: 0}}\ngrid: {objective: [scratch, zoomed-in, masked], pretrain.epochs: [5, 10], seed: [0, 1]}',
      (objective, seed, config) => {
        if (objective === 'scratch' || config.kind === 'pretrain') return { accuracy: 40 + seed };
        return { accuracy: (objective === 'masked' ? 50 : 45) + seed };
      },
    );
    const table = tableOf(folder);
    const rows = table.rows.filter(({ n }) => n !== 0);
    expect(pick({ rows }, 'objective', 'setting', 'rank', 'gain_over_scratch')).toEqual([
      ['scratch', '', null, null],
      ['zoomed-in', 'pretrain.epochs=5', 2, 5],
      ['zoomed-in', 'pretrain.epochs=10', 2, 5],
      ['masked', 'pretrain.epochs=5', 1, 10],
      ['masked', 'pretrain.epochs=10', 1, 10],
    ]);
    expect(table.summary['spearman pretrain.epochs=5']).toBeCloseTo(1, 12);
    expect(table.caption).toContain("with the paper for pretrain.epochs=10: Spearman's 1.00");
  });

  test('have no gain if there are several scratches to choose from', () => {
    const yaml = `
job: {finetune: {scratchLayerDecay: 1}}
grid: {objective: [scratch], finetune.scratchLayerDecay: [0.75, 1]}
include: [{objective: masked}]`;
    expect(pick(rowsOf(yaml), 'objective', 'setting', 'gain_over_scratch')).toEqual([
      ['scratch', 'finetune.scratchLayerDecay=0.75', null],
      ['scratch', 'finetune.scratchLayerDecay=1', null],
      ['masked', '', null],
    ]);
  });

  test('do not count one stage twice that several jobs share', () => {
    const yaml = 'job: {evaluate: [finetune, knn]}\ngrid: {objective: [masked], knn.k: [10, 20], seed: [0, 1]}';
    expect(pick(rowsOf(yaml), 'setting', 'n')).toEqual([['', 2]]);
    expect(pick(rowsOf(yaml, 'knn'), 'setting', 'n')).toEqual([
      ['knn.k=10', 2],
      ['knn.k=20', 2],
    ]);
  });

  test('hold strengths only if one objective has several', () => {
    const yaml =
      'grid: {objective: [zoomed-in, masked+zoomed-in], degradation.zoomedIn.fraction: [0.5, 0.6]}\ninclude: [{objective: distorted}]';
    expect(pick(rowsOf(yaml), 'objective', 'setting')).toEqual(
      [
        ['distorted', ''],
        ['zoomed-in', 'degradation.zoomedIn.fraction=0.5'],
        ['zoomed-in', 'degradation.zoomedIn.fraction=0.6'],
        ['masked+zoomed-in', 'degradation.zoomedIn.fraction=0.5'],
        ['masked+zoomed-in', 'degradation.zoomedIn.fraction=0.6'],
      ].map(([objective, setting]) => [objective!, setting!]),
    );
  });

  test('name a strength that only one variant of an objective has', () => {
    const yaml = 'grid: {objective: [decolorized], degradation.decolorized.variant: [luminance, saturation]}';
    const [variant, saturation] = ['degradation.decolorized.variant', 'degradation.decolorized.saturation'];
    expect(pick(rowsOf(yaml), 'setting')).toEqual([
      [`${saturation}=unset ${variant}=luminance`],
      [`${saturation}=0.3 ${variant}=saturation`],
    ]);
  });

  test('are seen across folders whose specs differ in no axis', () => {
    const spec = (epochs: number) => `job: {pretrain: {epochs: ${epochs}}}\ngrid: {objective: [masked]}`;
    const folders = [10, 20].map((epochs) => results(spec(epochs), accuracies({ masked: [50] })));
    const rows = tableOf(...folders).rows.filter(({ n }) => n !== 0);
    expect(pick({ rows }, 'setting', 'n')).toEqual([
      ['pretrain.epochs=10', 1],
      ['pretrain.epochs=20', 1],
    ]);
  });
});

describe('the order of rows that are not told apart', () => {
  const spec = 'grid: {objective: [scratch, zoomed-in, masked], seed: [0, 1, 2]}';
  const captionOf = (table: Record<string, number[]>): string => tableOf(results(spec, accuracies(table))).caption;

  test('is not correlated, and the caption says so', () => {
    // Row means 12.1, 12.4, 12.2 amid differences of a point: F = .02 with 2 and 4 degrees of freedom.
    expect(
      captionOf({ scratch: [12.0, 13.1, 11.2], 'zoomed-in': [13.2, 11.9, 12.1], masked: [11.4, 12.0, 13.2] }),
    ).toMatch(
      /No rank correlation with the paper: the objectives cannot be distinguished \(F test of rows over seeds, p = 0\.9\d\d\)\./,
    );
  });

  test('is correlated once they are', () => {
    const caption = captionOf({ scratch: [12, 13, 12], 'zoomed-in': [22, 23, 22.5], masked: [32, 33, 32.1] });
    // Of six orders of three rows, two are as far from zero.
    expect(caption).toContain("Spearman's 1.00 (p = 0.333, single seeds 1.00 to 1.00)");
  });
});

test('a smoke run of one seed has no headline', () => {
  const table = { scratch: [12], 'zoomed-in': [12.5], masked: [13], 'masked+zoomed-in': [13.5] };
  const folder = results('grid: {objective: [scratch, zoomed-in, masked, masked+zoomed-in]}', accuracies(table));
  const { caption, summary } = tableOf(folder);
  expect(caption).toContain('No rank correlation with the paper: only one seed (0) has a result of every row.');
  expect(Object.values(summary)).toEqual(Array(8).fill(null));
});
