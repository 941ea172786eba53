/** Evaluations with names, repeats and data sets of their own, in tables and on the page. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { figuresOf } from '../../src/report/html/figures/index.js';
import { spreadsOf } from '../../src/report/power/collect.js';
import { findMetric, metricsIn } from '../../src/evidence/metric.js';
import { buildTables, writeReport } from '../../src/report/report.js';
import { measurementsOf } from '../../src/evidence/measurements.js';
import { describeMetric } from '../../src/stages/metrics.js';
import type { Table } from '../../src/report/table.js';
import type { Job, Plan } from '../../src/spec/stages.js';
import { repeatsOf } from '../../src/spec/stages.js';
import { planOf } from '../runner/support.js';
import { dataOf, pick } from './support.js';
import type { ReportData } from '../../src/report/collect.js';
import { temporaryFolder } from '../runner/support.js';

/** The data of a plan in which each repeat of each evaluation has the given accuracy; null: no result. */
function dataWith(
  plan: Plan,
  accuracyOf: (job: Job, name: string, repeat: number) => number | null,
  others: (job: Job) => object = () => ({}),
): ReportData {
  const data = dataOf(plan);
  const stages = new Map(data.stages);
  for (const job of plan.jobs) {
    for (const name of Object.keys(job.evaluations)) {
      for (const [repeat, id] of repeatsOf(job, name).entries()) {
        const record = stages.get(id)!;
        const accuracy = accuracyOf(job, name, repeat);
        const result =
          accuracy === null ? null : ({ ...record.result!, accuracy, ...others(job) } as typeof record.result);
        stages.set(id, { ...record, result });
      }
    }
  }
  return { ...data, stages };
}

const objectiveOf = ({ cells }: Job): string => cells[0]!.objective;
const tableNamed = (data: ReportData, name: string): Table | undefined =>
  buildTables(data).find((table) => table.name === name);

const TRANSFER = planOf(
  'job: {evaluate: [finetune, {name: pets, protocol: finetune, data: {name: image-folder, path: sets/pets}}, ' +
    '{name: ten-shot, protocol: linear, shots: 10}]}\n' +
    'grid: {objective: [masked, zoomed-in, blurred], seed: [0, 1]}',
);
/** Masked is the best in two of three evaluations, and blurred in the third. */
const MEANS: Record<string, Record<string, number>> = {
  finetune: { masked: 60, 'zoomed-in': 50, blurred: 40 },
  pets: { masked: 80, 'zoomed-in': 70, blurred: 75 },
  'ten-shot': { masked: 20, 'zoomed-in': 10, blurred: 30 },
};
const transfer = dataWith(TRANSFER, (job, name) => MEANS[name]![objectiveOf(job)]! + job.seed);

describe('transfer.csv', () => {
  const table = tableNamed(transfer, 'transfer')!;

  test('has the mean of each objective under each evaluation, its mean rank and its wins', () => {
    expect(pick(table, 'objective', 'finetune', 'pets', 'ten-shot', 'mean_rank', 'wins', 'ranked', 'n')).toEqual([
      // Places on shapes are 2, 2.5 and 1.5 on average; on pets 2, 3 and 1.
      ['blurred', 40.5, 75.5, 30.5, 2, 1, 3, 2],
      ['zoomed-in', 50.5, 70.5, 10.5, 2.75, 0, 3, 2],
      ['masked', 60.5, 80.5, 20.5, 1.25, 2, 3, 2],
    ]);
  });

  test("states each metric with its data set, and Friedman's test over the data sets", () => {
    expect(table.caption).toContain('top-1 accuracy in percent (pets on image-folder pets)');
    // Rank sums 4, 6 and 2 of two blocks: 12/(2·3·4) · 8. With one block fixed, one of six orders is as extreme.
    expect(table.summary.friedman).toBeCloseTo(4, 10);
    expect(table.caption).toContain(
      "Friedman's χ² 4.00 (p = 0.167 by permutation within data sets; 3 objectives, 2 data sets, 3 evaluations)",
    );
  });

  test('has no test if all evaluations are on one data set', () => {
    const { caption, summary } = tableNamed(
      dataOf(planOf('job: {evaluate: [finetune, linear]}\ngrid: {objective: [masked, scratch]}')),
      'transfer',
    )!;
    expect(summary.friedman).toBeNull();
    expect(caption).toContain('No test: the evaluations with a result of every objective are not of two data sets.');
  });

  test('follows the compared metric in the evaluations that have it', () => {
    const { columns } = buildTables(transfer, { metric: 'pets.meanPerClass' }).find(({ name }) => name === 'transfer')!;
    expect(columns.slice(2, 5).map(({ key }) => key)).toEqual([
      'finetune.meanPerClass',
      'pets.meanPerClass',
      'ten-shot.meanPerClass',
    ]);
  });

  describe('where an entry has a metric of its own', () => {
    const plan = planOf(
      'job: {evaluate: [finetune, {name: pets, protocol: finetune, metric: meanPerClass, ' +
        'data: {name: image-folder, path: sets/pets}}]}\n' +
        'grid: {objective: [masked, zoomed-in, blurred], seed: [0, 1]}',
    );
    // The top-1 accuracies order the objectives the other way round.
    const perClass: Record<string, number> = { masked: 50, 'zoomed-in': 60, blurred: 70 };
    const data = dataWith(
      plan,
      (job, name) => MEANS[name]![objectiveOf(job)]!,
      (job) => ({ meanPerClass: perClass[objectiveOf(job)]! + 2 * job.seed }),
    );

    test('has the means, places and wins of that metric', () => {
      const own = tableNamed(data, 'transfer')!;
      // Means 50, 60, 70 and the second seed's 52, 62, 72. Places by fine-tuning: masked 1, zoomed-in 2, blurred 3.
      expect(pick(own, 'objective', 'finetune', 'pets.meanPerClass', 'mean_rank', 'wins')).toEqual([
        ['blurred', 40, 71, 2, 1],
        ['zoomed-in', 50, 61, 2, 0],
        ['masked', 60, 51, 2, 1],
      ]);
      expect(own.caption).toContain('mean accuracy per class in percent (pets.meanPerClass on image-folder pets)');
      const figure = figuresOf(data, findMetric(data)!, []).find(({ id }) => id === 'figure-transfer')!;
      expect(figure.charts.map((chart) => (chart.kind === 'dots' ? chart.x.title : ''))).toEqual([
        'Top-1 (%), finetune',
        'Mean per class (%), pets.meanPerClass',
      ]);
    });

    test('keeps it with another --metric, which the other tables follow', () => {
      const tables = buildTables(data, { metric: 'pets.top5' });
      const named = (name: string) => tables.find((table) => table.name === name)!;
      expect(
        named('transfer')
          .columns.slice(2, 4)
          .map(({ key }) => key),
      ).toEqual(['finetune.top5', 'pets.meanPerClass']);
      expect(named('objectives').caption).toContain('pets.top5');
    });

    test('fails with the metrics that there are, if a plan has another one', () => {
      expect(() => buildTables({ ...data, metrics: { pets: 'recall' } })).toThrow(
        'the plan has the metric recall for the evaluation pets, which has accuracy, top5, meanPerClass, meanError, ' +
          'blurError, greyError; run the sweep again with one of these',
      );
    });
  });

  test('says how sure it is that a row is behind the best one', () => {
    // Rank sums 4, 6 and 2. With one block fixed there are six orders, whose ranges are 0, 2, 2, 3, 3 and 4.
    expect(pick(table, 'objective', 'p_best')).toEqual([
      ['blurred', 5 / 6],
      ['zoomed-in', 1 / 6],
      ['masked', 1],
    ]);
  });

  test('ranks only over evaluations of which every objective has a result', () => {
    const data = dataWith(TRANSFER, (job, name) =>
      name === 'pets' && objectiveOf(job) === 'masked' ? null : MEANS[name]![objectiveOf(job)]!,
    );
    expect(pick(tableNamed(data, 'transfer')!, 'objective', 'pets', 'mean_rank', 'wins', 'ranked', 'n')).toEqual([
      ['blurred', 75, 2, 1, 2, 2],
      ['zoomed-in', 70, 2.5, 0, 2, 2],
      ['masked', null, 1.5, 1, 2, 0],
    ]);
  });

  test('is not written for one evaluation', () => {
    expect(tableNamed(dataOf(planOf('grid: {objective: [masked, scratch]}')), 'transfer')).toBeUndefined();
  });

  test('has a chart for each evaluation, with the same rows', () => {
    const figure = figuresOf(transfer, findMetric(transfer)!, []).find(({ id }) => id === 'figure-transfer')!;
    expect(figure.charts.map(({ title }) => title)).toEqual([
      'finetune on shapes',
      'pets on image-folder pets',
      'ten-shot on shapes',
    ]);
    const rows = figure.charts.map((chart) => (chart.kind === 'dots' ? chart.rows.map(({ label }) => label) : []));
    expect(new Set(rows.map(String)).size).toBe(1);
  });

  test('has a row for each setting of pre-training, and none for keys of evaluations', () => {
    const yaml =
      'job: {evaluate: [finetune, linear]}\ngrid: {objective: [masked], pretrain.epochs: [5, 9], finetune.epochs: [5, 9]}';
    const { rows, caption } = tableNamed(dataOf(planOf(yaml)), 'transfer')!;
    expect(rows.map(({ setting }) => setting)).toEqual(['pretrain.epochs=5', 'pretrain.epochs=9']);
    expect(rows.map(({ finetune, linear }) => [finetune, linear])).toEqual([
      [null, 50],
      [null, 50],
    ]);
    expect(caption).toContain('finetune has no column with values, since keys of it vary between the cells.');
  });

  test('is in the CSV files, in Markdown, in LaTeX and on the page', () => {
    const folder = temporaryFolder();
    writeReport(transfer, folder, { formats: ['csv', 'md', 'html', 'latex'] });
    const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
    expect(read('tables/transfer.csv').split('\r\n')[0]).toBe(
      'objective,setting,finetune,pets,ten-shot,mean_rank,wins,p_best,ranked,n,unhealthy',
    );
    expect(read('report.md')).toContain('## Transfer');
    expect(read('tables/transfer.tex')).toContain('mean rank');
    expect(read('report.html')).toContain('id="figure-transfer"');
  });
});

/** Tasks that the paper does not have, in the order in which a spec may name them. */
const COMBINED = '[zoomed-in+decolorized, masked+blurred, masked+distorted, masked]';

describe("transfer.csv of tasks that are not the paper's", () => {
  const EVALUATE = 'job: {evaluate: [finetune, linear]}\n';

  test('has a row for every combination, single parts first', () => {
    const means: Record<string, Record<string, number>> = {
      finetune: { masked: 60, 'masked+distorted': 50, 'masked+blurred': 40, 'zoomed-in+decolorized': 30 },
      linear: { masked: 20, 'masked+distorted': 30, 'masked+blurred': 10, 'zoomed-in+decolorized': 40 },
    };
    const plan = planOf(`${EVALUATE}grid: {objective: ${COMBINED}, seed: [0, 1]}`);
    const data = dataWith(plan, (job, name) => means[name]![objectiveOf(job)]! + job.seed);
    // Places 1, 2, 3, 4 by fine-tuning, and 3, 2, 4, 1 by the linear probe.
    expect(pick(tableNamed(data, 'transfer')!, 'objective', 'finetune', 'linear', 'mean_rank', 'wins', 'n')).toEqual([
      ['masked', 60.5, 20.5, 2, 1, 2],
      ['masked+distorted', 50.5, 30.5, 2, 0, 2],
      ['masked+blurred', 40.5, 10.5, 3.5, 0, 2],
      ['zoomed-in+decolorized', 30.5, 40.5, 2.5, 1, 2],
    ]);
  });

  test('has a row for each mask ratio, and compares them', () => {
    const plan = planOf(`${EVALUATE}grid: {objective: masked, maskRatio: [0.6, 0.5], seed: [0, 1]}`);
    const data = dataWith(plan, ({ task }, name) => 100 * task!.maskRatio + (name === 'linear' ? 5 : 0));
    expect(pick(tableNamed(data, 'transfer')!, 'objective', 'setting', 'finetune', 'linear', 'mean_rank')).toEqual([
      ['masked', 'maskRatio=0.5', 50, 55, 2],
      ['masked', 'maskRatio=0.6', 60, 65, 1],
    ]);
    const figure = figuresOf(data, findMetric(data)!, []).find(({ id }) => id === 'figure-transfer')!;
    expect(figure.charts[0]).toMatchObject({ rows: [{ label: '0.5 masked' }, { label: '0.6 masked' }] });
  });

  test('is beside a chart of objectives with the same tasks, in which those without a number of the paper have an empty row', () => {
    const grid = 'grid: {objective: [masked, masked+distorted], maskRatio: [0.5, 0.75]}';
    const data = dataOf(planOf(`${EVALUATE}${grid}`));
    const { charts } = figuresOf(data, findMetric(data)!, []).find(({ id }) => id === 'figure-objectives')!;
    const labels = ['0.5 masked', '0.75 masked', '0.5 masked+distorted', '0.75 masked+distorted'];
    expect(charts).toMatchObject([
      { rows: labels.map((label) => ({ label, mean: 50 })) },
      { rows: labels.map((label) => ({ label, mean: label === '0.75 masked' ? 82.9 : null })) },
    ]);
  });

  test('has no mask ratio in its settings if all masked tasks have one', () => {
    const plan = planOf(
      `job: {maskRatio: 0.5, evaluate: [finetune, linear]}\ngrid: {objective: [masked, masked+blurred]}`,
    );
    expect(pick(tableNamed(dataOf(plan), 'transfer')!, 'objective', 'setting')).toEqual([
      ['masked', ''],
      ['masked+blurred', ''],
    ]);
  });
});

describe('repeats', () => {
  const plan = planOf(
    'job: {evaluate: [{name: probe, protocol: linear, repeats: 3}]}\ngrid: {objective: [masked, blurred], seed: [0, 1]}',
  );
  /** Two pre-trainings 10 apart, with repeats −1, 0 and 1 around each. */
  const data = dataWith(plan, (job, _name, repeat) => 50 + 10 * job.seed + repeat - 1);

  test('are averaged into one run for each pre-training', () => {
    const probe = findMetric(data)!;
    expect(measurementsOf(data, probe).map(({ seed, accuracy, repeats }) => [seed, accuracy, repeats])).toEqual([
      [0, 50, [49, 50, 51]],
      [1, 60, [59, 60, 61]],
      [0, 50, [49, 50, 51]],
      [1, 60, [59, 60, 61]],
    ]);
    const objectives = tableNamed(data, 'objectives')!;
    const rows = objectives.rows.filter(({ n }) => n !== 0);
    expect(pick({ rows }, 'objective', 'mean', 'n')).toEqual([
      ['blurred', 55, 2],
      ['masked', 55, 2],
    ]);
    expect(objectives.caption).toContain('A run of probe is the mean of its 3 repeats.');
  });

  test('have their spread in vitmim power', () => {
    expect(spreadsOf(data, 'probe').spreads.get('probe')).toMatchObject({ repeatStd: 1, seedStd: Math.sqrt(50) });
  });

  test('have both parts of their variance in variance.csv', () => {
    // By hand: within 1; between (10²/2 − 1/3).
    const [row] = tableNamed(data, 'variance')!.rows;
    expect(row).toMatchObject({
      metric: 'probe',
      objective: 'blurred',
      pretrainings: 2,
      runs: 6,
      within_std: 1,
      unit: 'points',
    });
    expect(row!.between_std).toBeCloseTo(Math.sqrt(50 - 1 / 3), 10);
    expect(row!.share).toBeCloseTo((50 - 1 / 3) / (51 - 1 / 3), 10);
    expect(tableNamed(data, 'variance')!.rows.map(({ objective }) => objective)).toEqual(['blurred', 'masked', 'all']);
  });

  test('of every combination are in variance.csv, and are pooled', () => {
    const evaluate = 'job: {evaluate: [{name: probe, protocol: linear, repeats: 3}]}';
    const combined = planOf(`${evaluate}\ngrid: {objective: ${COMBINED}, seed: [0, 1]}`);
    const distances: Record<string, number> = { masked: 10, 'masked+distorted': 20, 'masked+blurred': 30 };
    const { rows } = tableNamed(
      dataWith(combined, (job, _name, repeat) => 40 + (distances[objectiveOf(job)] ?? 40) * job.seed + repeat - 1),
      'variance',
    )!;
    expect(pick({ rows }, 'objective', 'pretrainings', 'runs', 'within_std')).toEqual([
      ['masked', 2, 6, 1],
      ['masked+distorted', 2, 6, 1],
      ['masked+blurred', 2, 6, 1],
      ['zoomed-in+decolorized', 2, 6, 1],
      ['all', 8, 24, 1],
    ]);
    // By hand: the mean of 10²/2, 20²/2, 30²/2 and 40²/2, less a third of the variance within.
    expect(rows.at(-1)!.between_std).toBeCloseTo(Math.sqrt(375 - 1 / 3), 10);
  });

  test('of two mask ratios are in two rows of variance.csv', () => {
    const evaluate = 'job: {evaluate: [{name: probe, protocol: linear, repeats: 2}]}';
    const ratios = planOf(`${evaluate}\ngrid: {objective: masked, maskRatio: [0.5, 0.75], seed: [0, 1]}`);
    const data = dataWith(
      ratios,
      ({ task, seed }, _name, repeat) => 40 + (task!.maskRatio === 0.5 ? 8 : 6) * seed + repeat,
    );
    const { rows } = tableNamed(data, 'variance')!;
    expect(pick({ rows }, 'objective', 'setting', 'runs')).toEqual([
      ['masked', 'maskRatio=0.5', 4],
      ['masked', 'maskRatio=0.75', 4],
      ['all', '', 8],
    ]);
    // By hand: two repeats 1 apart have a variance of .5; two pre-trainings 8, or 6, apart have one of 32, or 18.
    expect(rows.map(({ between_std }) => Number(between_std) ** 2)).toEqual(
      [32, 18, 25].map((variance) => expect.closeTo(variance - 0.25, 10) as number),
    );
  });

  test('are each in repeats.csv, with their stages', () => {
    const { rows } = tableNamed(data, 'repeats')!;
    const probe = rows.filter(({ metric }) => metric === 'probe');
    expect(probe.slice(0, 3).map(({ seed, repeat, value }) => [seed, repeat, value])).toEqual([
      [0, 1, 49],
      [0, 2, 50],
      [0, 3, 51],
    ]);
    expect(new Set(probe.map(({ stage }) => stage)).size).toBe(12);
  });

  test('of which some are missing are averaged over the others', () => {
    const some = dataWith(plan, (job, _name, repeat) => (repeat === 2 ? null : 50 + job.seed + repeat));
    expect(measurementsOf(some, findMetric(some)!).map(({ accuracy }) => accuracy)).toEqual([50.5, 51.5, 50.5, 51.5]);
  });

  test('of which one did not train leave the whole run out, since the others are those that happened to work', () => {
    const { stages, jobs, ...rest } = data;
    const id = repeatsOf(jobs[0]!, 'probe')[1]!;
    const record = stages.get(id)!;
    const broken = { ...record, result: { ...record.result!, loss: 9 } as typeof record.result };
    const measured = measurementsOf({ ...rest, jobs, stages: new Map([...stages, [id, broken]]) }, findMetric(data)!);
    expect(measured[0]).toMatchObject({ accuracy: null, unhealthy: expect.stringContaining('repeat 2: ') as string });
    expect(measured[1]!.accuracy).toBe(60);
  });

  test('are not written if no evaluation has any', () => {
    const names = buildTables(transfer).map(({ name }) => name);
    expect(names).not.toContain('variance');
    expect(names).not.toContain('repeats');
  });
});

describe('the metrics of a folder', () => {
  test('are those of its evaluations by name, in the order of the spec', () => {
    expect(metricsIn(transfer).map(({ name }) => name)).toEqual([
      ...['finetune', 'finetune.top5', 'finetune.meanPerClass', 'finetune.meanError'],
      ...['finetune.blurError', 'finetune.greyError'],
      ...['pets', 'pets.top5', 'pets.meanPerClass', 'pets.meanError', 'pets.blurError', 'pets.greyError'],
      ...['ten-shot', 'ten-shot.top5', 'ten-shot.meanPerClass'],
    ]);
  });

  test('are found by the name of the evaluation, with or without the key', () => {
    expect(findMetric(transfer)!.name).toBe('finetune');
    expect(findMetric(transfer, 'pets.accuracy')!.name).toBe('pets');
    expect(describeMetric(findMetric(transfer, 'ten-shot.meanPerClass')!)).toBe(
      'mean accuracy per class in percent (ten-shot.meanPerClass on shapes)',
    );
    expect(() => findMetric(transfer, 'cars')).toThrow('no job measures cars; choose --metric among finetune, ');
  });
});

test('runs of one evaluation on two data sets of pre-training are in two rows', () => {
  const yaml =
    'job: {pretrain: {data: {name: shapes}}}\ngrid: {objective: [masked], pretrain.data.trainImages: [100, 200]}';
  const { rows } = tableNamed(dataOf(planOf(yaml)), 'objectives')!;
  expect(rows.filter(({ n }) => n !== 0).map(({ setting }) => setting)).toEqual([
    'pretrain.data.trainImages=100',
    'pretrain.data.trainImages=200',
  ]);
});
