/** The tables of factors and effects, against hand counts and statsmodels. */
import { planOf, resultOf } from '../runner/support.js';
import { readFixture } from '../parity/fixture.js';
import { efficiencyTable } from '../../src/report/tables/efficiency.js';
import { effectsTable } from '../../src/report/tables/effects.js';
import { factorTable } from '../../src/report/tables/factor.js';
import { formatCell } from '../../src/report/writers/cells.js';
import { namedTask } from '../../src/report/paper.js';
import { collectedFrom, dataOf, pick } from './support.js';
import { evaluationOf, metric } from '../support/entries.js';

interface Row {
  mask: number;
  misalignment: string;
  style: string;
  seed: number;
  accuracy: number;
}
const { rows: reference, effects } = (
  readFixture('inference') as { factorial: { rows: Row[]; effects: Record<string, number> } }
).factorial;

const GRID = `
  objective: [identity]
  maskRatio: [0, 0.75]
  misalignment: [none, zoomed-in, zoomed-out, distorted]
  stylePreservation: [preserved, blurred, decolorized]
  seed: [0, 1, 2]`;
// One zoom for all, as in experiments/ablation.yaml.
const plan = planOf(`job: {degradation: {zoomedIn: {fraction: 0.7}}}\ngrid:${GRID}`);

/** The fixture's accuracies, but for those left out. */
function dataWithout(missing: (row: Row) => boolean = () => false) {
  const data = dataOf(plan);
  const stages = new Map(data.stages);
  for (const { task, seed, evaluations } of plan.jobs) {
    const row = reference.find(
      (each) =>
        each.seed === seed &&
        each.mask === task!.maskRatio &&
        each.misalignment === task!.geometry.kind &&
        each.style === task!.style.kind,
    )!;
    const record = stages.get(evaluationOf({ evaluations }, 'finetune')!)!;
    const result = { ...record.result!, accuracy: row.accuracy } as typeof record.result;
    stages.set(record.stage.id, { ...record, result: missing(row) ? null : result });
  }
  return { ...data, stages };
}

const FINETUNE = { metric: metric('finetune') };

describe('effects', () => {
  test('are those of statsmodels on a complete factorial', () => {
    const { rows, caption } = effectsTable(dataWithout(), FINETUNE);
    const pooled = rows.filter(({ level }) => level === 'any' || level === 'any × any');
    const names = ['masked', 'misaligned', 'restyled', 'masked:misaligned', 'masked:restyled', 'misaligned:restyled'];
    expect(pooled).toHaveLength(names.length);
    pooled.forEach(({ estimate }, i) => {
      expect(estimate).toBeCloseTo(effects[names[i]!]!, 8);
    });
    expect(pooled.map(({ n, contexts }) => [n, contexts])).toEqual([
      [3, 12],
      [3, 6],
      [3, 8],
      [3, 3],
      [3, 4],
      [3, 2],
    ]);
    expect(caption).not.toContain('differs between cells');
  });

  test('are of all planned contexts and seeds if results are missing', () => {
    // Seed 2 lacks two of three styles everywhere, at each of 2 masks and 4 misalignments: 16 runs.
    const { rows } = effectsTable(
      dataWithout(({ seed, style }) => seed === 2 && style !== 'preserved'),
      FINETUNE,
    );
    expect(rows.find(({ effect, level }) => effect === 'misalignment' && level === 'any')).toMatchObject({
      n: 3,
      planned: 3,
      filled: 16,
      bootstrap_low: null,
      p_seeds: null,
      contexts: 6,
      contexts_planned: 6,
    });
  });

  test('are empty if a planned cell has no result at all, rather than those of other contexts', () => {
    const { rows } = effectsTable(
      dataWithout(({ mask, misalignment, style }) => mask === 0 && misalignment === 'distorted' && style === 'blurred'),
      FINETUNE,
    );
    const row = (effect: string, level: string) => rows.find((each) => each.effect === effect && each.level === level);
    // The cell stands in one of six contexts of misalignment and of eight of style.
    expect(row('misalignment', 'any')).toMatchObject({
      estimate: null,
      p: null,
      n: 3,
      contexts: 5,
      contexts_planned: 6,
    });
    expect(row('style', 'any')).toMatchObject({ estimate: null, ci_low: null, contexts: 7, contexts_planned: 8 });
    // These levels do without it.
    expect(row('misalignment', 'zoomed-in')).toMatchObject({ n: 3, filled: 0, df: 2, contexts: 6 });
    expect(row('misalignment', 'zoomed-in')!.estimate).not.toBeNull();
  });

  test('are empty with n = 0 if nothing is measured', () => {
    const { rows } = effectsTable(
      dataWithout(() => true),
      FINETUNE,
    );
    expect(rows[0]).toMatchObject({ effect: 'mask', estimate: null, ci_low: null, p: null, n: 0, planned: 3 });
  });

  test('report a strength that differs along with the mask', () => {
    const own = planOf(`grid:${GRID}`);
    expect(effectsTable(dataOf(own), FINETUNE).caption).toContain(
      'degradation.zoomedIn.fraction differs between cells that are compared (0.714, 0.778)',
    );
  });
});

describe('a factor', () => {
  const row = (mask: number, misalignment: string, seed: number): number =>
    reference.find((each) => each.mask === mask && each.misalignment === misalignment && each.seed === seed)!.accuracy;

  test('is compared with its reference at each level of the others, paired by seed', () => {
    const { rows } = factorTable('misalignment')(dataWithout(), FINETUNE);
    expect(rows).toHaveLength(24);
    const difference = [0, 1, 2].map((seed) => row(0.75, 'distorted', seed) - row(0.75, 'none', seed));
    const found = rows.find((each) => each.mask_ratio === 0.75 && each.misalignment === 'distorted')!;
    expect(found).toMatchObject({ style: 'preserved', n: 3, planned: 3, difference_n: 3, epoch: 20 });
    expect(found.difference).toBeCloseTo((difference[0]! + difference[1]! + difference[2]!) / 3, 10);
  });

  test('keeps rows without results, and those that the plan lacks, at n = 0', () => {
    const sparse = planOf(
      'grid: {objective: [identity, zoomed-in, zoomed-out, masked, masked+zoomed-in], seed: [0, 1]}',
    );
    const { rows } = factorTable('misalignment')(dataOf(sparse), FINETUNE);
    expect(pick({ rows }, 'mask_ratio', 'misalignment', 'n', 'planned', 'difference_n')).toEqual([
      [0, 'none', 2, 2, null],
      [0, 'zoomed-in', 2, 2, 2],
      [0, 'zoomed-out', 2, 2, 2],
      [0.75, 'none', 2, 2, null],
      [0.75, 'zoomed-in', 2, 2, 2],
      [0.75, 'zoomed-out', 0, 0, 0],
    ]);
    expect(factorTable('style')(dataOf(sparse), FINETUNE)).toMatchObject({
      rows: [],
      caption: expect.stringContaining('no two cells') as string,
    });
  });

  test('has a table part for each setting', () => {
    const settings = planOf(
      'grid: {objective: [identity, zoomed-in], degradation.zoomedIn.fraction: [0.5, 0.6], pretrain.epochs: [20, 30]}',
    );
    const { rows } = factorTable('misalignment')(dataOf(settings), FINETUNE);
    expect(pick({ rows }, 'setting', 'misalignment', 'n').map((cells) => cells.join(' '))).toEqual(
      ['pretrain.epochs=20', 'pretrain.epochs=30'].flatMap((epochs) =>
        ['0.5', '0.6'].flatMap((fraction) =>
          ['none', 'zoomed-in'].map((kind) => `${epochs} degradation.zoomedIn.fraction=${fraction} ${kind} 1`),
        ),
      ),
    );
  });
});

test("efficiency counts what an objective takes, beside the paper's at as many epochs", () => {
  const sweep = planOf(
    'job: {pretrain: {warmupEpochs: 0}}\ngrid: {objective: [masked+zoomed-in, masked, zoomed-in], pretrain.epochs: [100, 50]}',
  );
  const { rows, caption } = efficiencyTable(dataOf(sweep), FINETUNE);
  expect(pick({ rows }, 'objective', 'pretrain_epochs', 'paper_accuracy')).toEqual([
    ['zoomed-in', 50, null],
    ['zoomed-in', 100, null],
    ['masked', 50, 82.3],
    ['masked', 100, 82.6],
    ['masked+zoomed-in', 50, 82.7],
    ['masked+zoomed-in', 100, 83],
  ]);
  expect(rows.map(({ flops_to_masked }) => Number(flops_to_masked) > 1)).toEqual([
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
  expect(caption).toContain('masked+zoomed-in (pretrain.epochs=50) takes the same FLOPs per image as masked');
});

test('efficiency shows multiples of masked to a hundredth', () => {
  const { rows, columns } = efficiencyTable(dataOf(planOf('grid: {objective: [masked]}')), FINETUNE);
  const column = columns.find(({ key }) => key === 'flops_to_masked')!;
  const row = rows.find(({ objective }) => objective === 'masked')!;
  expect(formatCell(column, row)).toBe('1.00');
  expect(formatCell(column, { ...row, flops_to_masked: 3.14159 })).toBe('3.14');
});

test('the factorials of variants have their names', () => {
  const yaml =
    'variants: {size: {small: {model: {depth: 2, dim: 48}}, large: {model: {depth: 6}}}}\n' +
    'grid: {objective: identity, maskRatio: [0, 0.75], misalignment: [none, zoomed-in], seed: [0, 1]}';
  const { rows } = factorTable('misalignment')(dataOf(planOf(yaml)), FINETUNE);
  expect(new Set(rows.map(({ setting }) => setting))).toEqual(new Set(['size=small', 'size=large']));
});

describe('efficiency', () => {
  test("has a row for every combination, with its difference to masked, and the paper's two in any case", () => {
    const values: Record<string, number> = { masked: 60, 'masked+distorted': 62, 'masked+blurred': 57 };
    const sweep = planOf(
      'grid: {objective: [zoomed-in+decolorized, masked+blurred, masked+distorted, masked], seed: [0, 1]}',
    );
    const data = collectedFrom(sweep, ({ task, seed }, kind) =>
      resultOf(kind, { accuracy: (values[namedTask(task).objective] ?? 50) + seed }),
    );
    const { rows } = efficiencyTable(data, FINETUNE);
    expect(pick({ rows }, 'objective', 'mean', 'difference_to_masked', 'n')).toEqual([
      ['masked', 60.5, null, 2],
      ['masked+zoomed-in', null, null, 0],
      ['masked+distorted', 62.5, 2, 2],
      ['masked+blurred', 57.5, -3, 2],
      ['zoomed-in+decolorized', 50.5, -10, 2],
    ]);
    // As many tokens are as many operations.
    expect(pick({ rows: rows.slice(2, 4) }, 'flops_to_masked')).toEqual([[1], [1]]);
    expect(rows[4]!.flops_to_masked).toBeGreaterThan(1);
  });

  test("compares masked tasks at one mask ratio, and others with the paper's", () => {
    const sweep = planOf(
      'job: {pretrain: {epochs: 50, warmupEpochs: 0}}\n' +
        'grid: {objective: [masked, masked+zoomed-in], maskRatio: [0.5, 0.75]}\ninclude: [{objective: zoomed-in}]',
    );
    const values: Record<string, number> = {
      '0.5 masked': 50,
      '0.5 masked+zoomed-in': 53,
      '0.75 masked': 60,
      '0.75 masked+zoomed-in': 61,
      '0 zoomed-in': 40,
    };
    const data = collectedFrom(sweep, ({ task }, kind) => {
      const { objective, maskRatio } = namedTask(task);
      return resultOf(kind, { accuracy: values[`${maskRatio} ${objective}`]! });
    });
    const { rows } = efficiencyTable(data, FINETUNE);
    expect(pick({ rows }, 'objective', 'setting', 'mean', 'difference_to_masked', 'paper_accuracy')).toEqual([
      ['zoomed-in', '', 40, -20, null],
      ['masked', 'maskRatio=0.5', 50, null, null],
      ['masked', 'maskRatio=0.75', 60, null, 82.3],
      ['masked+zoomed-in', 'maskRatio=0.5', 53, 3, null],
      ['masked+zoomed-in', 'maskRatio=0.75', 61, 1, 82.7],
    ]);
  });
});
