/** What a report says of chosen values: the table, captions, and one row for a cell with its chosen values. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { collect } from '../../src/report/collect.js';
import { buildTables } from '../../src/report/report.js';
import { stageIds, type Stage } from '../../src/spec/stages.js';
import { keepPlan } from '../../src/store/plans.js';
import { sweepPaths } from '../../src/store/layout.js';
import { writeJson } from '../../src/store/files.js';
import { leaveResult, planOf, temporaryFolder } from '../runner/support.js';
import { dataOf, pick } from './support.js';

const root = temporaryFolder();
const SPEC = `
job: { data: { validation: 0.1 }, evaluate: [finetune, knn] }
grid: { objective: [scratch, masked, zoomed-in], seed: [0, 1] }
select: { by: finetune, over: { finetune.baseLearningRate: [1.0e-3, 2.0e-3, 4.0e-3] }, seeds: [100] }
`;
const plan = planOf(SPEC);
const isTrial = ({ config }: Stage): boolean => config.seed >= 100;
const rateOf = ({ config }: Stage): number => (config.kind === 'finetune' ? config.recipe.baseLearningRate * 1000 : 0);
const objectiveOf = ({ id }: Stage): string => plan.jobs.find((job) => stageIds(job).includes(id))!.cells[0]!.objective;

/** A folder in which stages have these accuracies; null: no result. */
async function folderWith(name: string, accuracyOf: (stage: Stage) => number | null): Promise<string> {
  const folder = join(root, name);
  mkdirSync(folder);
  const paths = sweepPaths(folder);
  keepPlan(paths, plan, new Date());
  for (const stage of plan.stages) {
    const accuracy = accuracyOf(stage);
    if (accuracy === null) continue;
    writeJson(paths.stage(stage.id).stage, stage);
    await leaveResult(stage, paths.stage(stage.id), { accuracy });
  }
  return folder;
}

/** Each objective is best at another rate: scratch at the largest, masked at the middle, zoomed-in at the smallest. */
const BEST: Readonly<Record<string, number>> = { scratch: 4, masked: 2, 'zoomed-in': 1 };
const trialAccuracy = (stage: Stage): number => 50 - 2 * Math.abs(rateOf(stage) - BEST[objectiveOf(stage)]!);

describe('a report of a sweep with select', () => {
  const tablesOf = async () => {
    const folder = await folderWith(`done-${Math.random()}`.replace('.', ''), (stage) => {
      if (isTrial(stage)) return trialAccuracy(stage);
      if (stage.config.kind !== 'finetune') return 30;
      return rateOf(stage) === BEST[objectiveOf(stage)] ? 40 + stage.config.seed : null;
    });
    const data = collect([folder]);
    return { data, tables: new Map(buildTables(data).map((table) => [table.name, table])) };
  };

  test('names the chosen values with mean, margin, trials and edges', async () => {
    const { tables } = await tablesOf();
    const keys = ['cell', 'finetune.baseLearningRate', 'validation_mean', 'margin', 'trials', 'edge', 'outcome'];
    expect(pick(tables.get('selection')!, ...keys)).toEqual([
      ['scratch', 4e-3, 50, 4, 3, 'largest finetune.baseLearningRate', 'chosen'],
      ['masked', 2e-3, 50, 2, 3, '', 'chosen'],
      ['zoomed-in', 1e-3, 50, 2, 3, 'smallest finetune.baseLearningRate', 'chosen'],
    ]);
    const { caption } = tables.get('selection')!;
    expect(caption).toContain('In 1 of 3 cells the largest finetune.baseLearningRate that was tried was chosen');
    expect(caption).toContain('In 1 of 3 cells the smallest finetune.baseLearningRate that was tried was chosen');
  });

  test('has one row for each cell, without a setting, of its reported seeds', async () => {
    const { data, tables } = await tablesOf();
    expect(data.missing).toEqual([]);
    const rows = pick(tables.get('objectives')!, 'objective', 'setting', 'mean', 'n', 'planned', 'gain_over_scratch');
    expect(rows.filter(([, , , n]) => n !== 0)).toEqual([
      ['scratch', '', 40.5, 2, 2, null],
      ['zoomed-in', '', 40.5, 2, 2, 0],
      ['masked', '', 40.5, 2, 2, 0],
    ]);
    expect(data.jobs.map(({ seed }) => seed)).toEqual([0, 1, 0, 1, 0, 1]);
  });

  test('keeps the stages of trials apart from those of its tables', async () => {
    const { data } = await tablesOf();
    // Of 3 objectives: 3 candidates each with a fine-tuning on seed 100, and 2 pre-trainings.
    const kinds = [...data.trials!.values()].map(({ entry }) => entry).sort();
    expect(kinds).toEqual([...new Array<string>(9).fill('finetune'), 'pretrain', 'pretrain']);
    expect([...data.stages.values()].filter(({ stage }) => isTrial(stage))).toEqual([]);
  });

  test('says in the captions of results how values were chosen, and the budget', async () => {
    const { tables } = await tablesOf();
    expect(tables.get('objectives')!.caption).toContain(
      'Hyper-parameters: finetune.baseLearningRate chosen on validation (finetune), 3 trials per cell (selection.csv)',
    );
    expect(tables.get('runs')!.caption).not.toContain('Hyper-parameters');
    expect(pick(tables.get('runs')!, 'finetune.baseLearningRate')).toEqual(
      [0.004, 0.004, 0.002, 0.002, 0.001, 0.001].map((rate) => [String(rate)]),
    );
  });

  test('lists the trials that are missing, and the runs that wait for them', async () => {
    const folder = await folderWith('open', (stage) =>
      isTrial(stage) && objectiveOf(stage) !== 'masked' ? trialAccuracy(stage) : null,
    );
    const { missing, selections } = collect([folder]);
    expect(selections!.map(({ choice }) => choice.kind)).toEqual(['chosen', 'open', 'chosen']);
    const waiting = missing.filter(({ why }) => why === 'not run yet: waits for trials by finetune on validation');
    expect(waiting.map(({ stage }) => [stage.config.kind, stage.config.seed])).toEqual([
      ['finetune', 0],
      ['finetune', 1],
    ]);
    expect(missing.filter(({ stage }) => isTrial(stage))).toHaveLength(4);
  });
});

test('a sweep without select says that its values were fixed, and has no table of choices', () => {
  const tables = buildTables(dataOf(planOf('grid: {objective: [scratch, masked]}')));
  expect(tables.map(({ name }) => name)).not.toContain('selection');
  expect(tables.find(({ name }) => name === 'objectives')!.caption).toContain('Hyper-parameters: fixed in advance.');
});
