import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { clean, type Cleaned, type CleanOptions } from '../../src/runner/clean.js';
import type { Plan, StageKind } from '../../src/spec/stages.js';
import { Claimant } from '../../src/store/claims.js';
import { writeJson } from '../../src/store/files.js';
import { sweepPaths, type StagePaths, type SweepPaths } from '../../src/store/layout.js';
import { keepPlan, listPlans, planId } from '../../src/store/plans.js';
import { announceSweep } from '../../src/store/sweeps.js';
import { leaveResult, planOf, temporaryFolder } from './support.js';

const root = temporaryFolder();
let count = 0;

const planOfSeed = (seed: number): Plan =>
  planOf(`job: {evaluate: [finetune, knn]}\ngrid: {objective: [masked], seed: [${seed}]}`);
const [FIRST, SECOND] = [planOfSeed(0), planOfSeed(1)];

/** A folder in which every stage of these plans is done, and that keeps the plans that are given, the last as the newest. */
async function folderWith(kept: readonly Plan[], done: readonly Plan[] = [FIRST, SECOND]): Promise<SweepPaths> {
  const paths = sweepPaths(join(root, String(count++)));
  for (const stage of done.flatMap(({ stages }) => stages)) {
    const own = paths.stage(stage.id);
    writeJson(own.stage, stage);
    await leaveResult(stage, own);
  }
  kept.forEach((plan, day) => keepPlan(paths, plan, new Date(Date.UTC(2026, 0, 1 + day))));
  return paths;
}

const idOf = ({ stages }: Plan, kind: StageKind): string => stages.find(({ config }) => config.kind === kind)!.id;
const idsOf = ({ stages }: Plan): string[] => stages.map(({ id }) => id).sort();
const stagesIn = ({ stages }: SweepPaths): string[] => readdirSync(stages).sort();

/** Bytes by reason. */
function bytes({ removed }: Cleaned): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const removal of removed) sums[removal.reason] = (sums[removal.reason] ?? 0) + removal.bytes;
  return sums;
}

/** Every file below a folder, with its content. */
function contents(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    files.map(({ parentPath, name }) => [join(parentPath, name), readFileSync(join(parentPath, name), 'latin1')]),
  );
}

const sizeOf = (folder: string): number => Object.values(contents(folder)).reduce((sum, text) => sum + text.length, 0);

test('stages that no kept plan contains are removed, with their bytes counted', async () => {
  const paths = await folderWith([SECOND]);
  const size = idsOf(FIRST).reduce((sum, id) => sum + sizeOf(paths.stage(id).folder), 0);
  const cleaned = clean(paths);
  expect(stagesIn(paths)).toEqual(idsOf(SECOND));
  expect(cleaned.removed.map(({ path }) => path).sort()).toEqual(idsOf(FIRST).map((id) => join('stages', id)));
  // The claim under which it was removed is a file of it too.
  expect(bytes(cleaned).superseded).toBeGreaterThanOrEqual(size);
  expect(bytes(cleaned).superseded).toBeLessThan(size + 3 * 1000);
});

test('stages of every kept plan stay, of the oldest as of the newest', async () => {
  const paths = await folderWith([FIRST, SECOND]);
  const before = contents(paths.stages);
  expect(clean(paths)).toEqual({ removed: [], inUse: [], damagedPlans: [], plans: 2 });
  expect(contents(paths.stages)).toEqual(before);
});

test('a dry run says the same, and changes nothing', async () => {
  const options: CleanOptions = { forget: 'older', evaluations: true };
  const paths = await folderWith([FIRST, SECOND]);
  const before = contents(paths.folder);
  const told = clean(paths, { ...options, dryRun: true });
  expect(contents(paths.folder)).toEqual(before);
  const done = clean(paths, options);
  const places = ({ removed }: Cleaned): string[] => removed.map(({ reason, path }) => `${reason} ${path}`);
  expect(places(told)).toEqual(places(done));
  expect(told.plans).toBe(1);
  expect(done.plans).toBe(1);
});

describe('of a finished stage', () => {
  /** A folder whose stages have every file that may be removed. */
  async function withOldFiles(): Promise<{ paths: SweepPaths; pretrain: StagePaths; finetune: StagePaths }> {
    const paths = await folderWith([FIRST], [FIRST]);
    const [pretrain, finetune] = (['pretrain', 'finetune'] as const).map((kind) => paths.stage(idOf(FIRST, kind)));
    writeFileSync(pretrain!.previousCheckpoint, 'x'.repeat(100));
    writeFileSync(finetune!.previousCheckpoint, 'x'.repeat(20));
    writeFileSync(finetune!.bestCheckpoint, 'x'.repeat(3));
    writeFileSync(`${pretrain!.checkpoint}.4242.tmp`, 'x'.repeat(5000));
    return { paths, pretrain: pretrain!, finetune: finetune! };
  }

  test('the previous and the best checkpoint are removed, and unfinished files', async () => {
    const { paths, pretrain, finetune } = await withOldFiles();
    expect(bytes(clean(paths))).toEqual({ previous: 120, best: 3, unfinished: 5000 });
    expect(readdirSync(pretrain.folder).sort()).toEqual(['checkpoint.safetensors', 'result.json', 'stage.json']);
    expect(readdirSync(finetune.folder).sort()).toEqual(['checkpoint.safetensors', 'result.json', 'stage.json']);
  });

  test('the checkpoint of an evaluation is removed on request, the checkpoint of a pre-training never', async () => {
    const { paths, pretrain, finetune } = await withOldFiles();
    clean(paths, { evaluations: true });
    expect(existsSync(finetune.checkpoint)).toBe(false);
    expect(existsSync(finetune.result)).toBe(true);
    expect(existsSync(pretrain.checkpoint)).toBe(true);
  });

  test('all stay while it is not finished: it continues from them', async () => {
    const { paths, finetune } = await withOldFiles();
    rmSync(finetune.result);
    expect(bytes(clean(paths, { evaluations: true }))).toEqual({ previous: 100, unfinished: 5000 });
    expect(existsSync(finetune.previousCheckpoint)).toBe(true);
  });
});

describe('a stage that a process works on', () => {
  test.each([false, true])('is not removed, and reported as in use (dry run: %s)', async (dryRun) => {
    const paths = await folderWith([SECOND]);
    const own = paths.stage(idOf(FIRST, 'pretrain'));
    const got = new Claimant().claim(own);
    const { inUse } = clean(paths, { dryRun });
    expect(inUse).toEqual([
      { path: join('stages', idOf(FIRST, 'pretrain')), by: `process ${process.pid} on ${hostname()}` },
    ]);
    expect(existsSync(own.checkpoint)).toBe(true);
    if ('claim' in got) got.claim.release();
  });

  test('keeps its old checkpoints too', async () => {
    const paths = await folderWith([FIRST], [FIRST]);
    const own = paths.stage(idOf(FIRST, 'finetune'));
    writeFileSync(own.bestCheckpoint, 'x');
    new Claimant().claim(own);
    clean(paths);
    expect(existsSync(own.bestCheckpoint)).toBe(true);
  });
});

test('a stage that a new plan contains by the time it is to be removed gets its name back', async () => {
  const paths = await folderWith([SECOND]);
  const before = contents(paths.stage(idOf(FIRST, 'knn')).folder);
  // The sweep of another process keeps its plan once the first stage is being removed.
  const claimant = new Claimant();
  const claim: Claimant['claim'] = (own) => {
    const got = claimant.claim(own);
    keepPlan(paths, FIRST, new Date());
    return got;
  };
  expect(clean(paths, {}, { claim }).removed).toEqual([]);
  expect(stagesIn(paths)).toEqual([...idsOf(FIRST), ...idsOf(SECOND)].sort());
  expect(contents(paths.stage(idOf(FIRST, 'knn')).folder)).toEqual(before);
});

describe('a plan that is to be forgotten', () => {
  test('leaves its stages superseded, but for those of other plans', async () => {
    const both = planOf('job: {evaluate: [finetune, knn]}\ngrid: {objective: [masked], seed: [0, 1]}');
    const paths = await folderWith([both, SECOND]);
    clean(paths, { forget: [planId(both).slice(0, 5)] });
    expect(stagesIn(paths)).toEqual(idsOf(SECOND));
    expect(listPlans(paths).plans.map(({ id }) => id)).toEqual([planId(SECOND)]);
    expect(readdirSync(paths.plans)).toEqual([`${planId(SECOND)}.json`]);
  });

  test('may be every one but the newest, the plan.json of an earlier version among them', async () => {
    const paths = await folderWith([SECOND]);
    writeJson(paths.plan, FIRST);
    clean(paths, { forget: 'older' });
    expect(existsSync(paths.plan)).toBe(false);
    expect(stagesIn(paths)).toEqual(idsOf(SECOND));
  });

  test('must not be the last one, or one that the folder does not have', async () => {
    const paths = await folderWith([FIRST]);
    expect(() => clean(paths, { forget: [planId(FIRST)] })).toThrow('must keep at least one plan');
    expect(() => clean(paths, { forget: ['0000'] })).toThrow(`has no plan 0000; its plans are ${planId(FIRST)}`);
  });

  test('stays while a sweep works on it, also one that waits between two stages', async () => {
    const paths = await folderWith([FIRST, SECOND]);
    const working = announceSweep(paths, planId(FIRST));
    const { inUse } = clean(paths, { forget: 'older' });
    expect(inUse).toHaveLength(1);
    expect(inUse[0]!.by).toContain(`the sweep with process ${process.pid} on ${hostname()}; if it has ended, delete`);
    expect(stagesIn(paths)).toEqual([...idsOf(FIRST), ...idsOf(SECOND)].sort());
    working.end();
    expect(clean(paths, { forget: 'older' }).inUse).toEqual([]);
    expect(stagesIn(paths)).toEqual(idsOf(SECOND));
  });

  test('gets its name back if a sweep has begun with it meanwhile', async () => {
    const paths = await folderWith([FIRST, SECOND]);
    let working: ReturnType<typeof announceSweep> | undefined;
    const { inUse, removed } = clean(paths, {
      forget: 'older',
      // Read once it is known that no sweep works on the plan, and before it is renamed.
      get submitted() {
        working ??= announceSweep(paths, planId(FIRST));
        return [];
      },
    });
    working!.end();
    expect(removed).toEqual([]);
    expect(inUse).toHaveLength(1);
    expect(
      listPlans(paths)
        .plans.map(({ id }) => id)
        .sort(),
    ).toEqual([planId(FIRST), planId(SECOND)].sort());
    expect(stagesIn(paths)).toHaveLength(6);
  });

  test('does not wait for a sweep whose process is gone', async () => {
    const paths = await folderWith([FIRST, SECOND]);
    const working = announceSweep(paths, planId(FIRST));
    const [name] = readdirSync(paths.sweeps);
    const text = readFileSync(join(paths.sweeps, name!), 'utf8');
    writeFileSync(join(paths.sweeps, name!), text.replace(`"pid": ${process.pid}`, '"pid": 4194305'));
    expect(clean(paths, { forget: 'older' }).inUse).toEqual([]);
    working.end();
  });

  test('stays while Slurm works on it', async () => {
    const paths = await folderWith([FIRST, SECOND]);
    const submitted = join(paths.folder, 'slurm', 'x', 'plan.json');
    writeJson(submitted, FIRST);
    expect(clean(paths, { forget: 'older', submitted: [submitted] }).inUse).toMatchObject([{ by: 'Slurm' }]);
    expect(stagesIn(paths)).toHaveLength(6);
  });
});

test('no stage is superseded while a plan cannot be read', async () => {
  const paths = await folderWith([FIRST, SECOND]);
  const path = join(paths.plans, `${planId(FIRST)}.json`);
  writeFileSync(path, '{');
  expect(clean(paths)).toEqual({ removed: [], inUse: [], damagedPlans: [path], plans: 1 });
  expect(stagesIn(paths)).toHaveLength(6);
});

test('what is no stage stays, and links are not followed; what an earlier cleaning left is removed', async () => {
  const paths = await folderWith([SECOND], [SECOND]);
  const elsewhere = join(root, 'elsewhere');
  mkdirSync(elsewhere);
  writeFileSync(join(elsewhere, 'precious'), 'x');
  symlinkSync(elsewhere, paths.stage('0123456789abcdef').folder);
  mkdirSync(join(paths.stages, 'notes'));
  mkdirSync(join(paths.stages, '0123456789abcdef.removed.x'));
  expect(clean(paths).removed).toMatchObject([{ path: join('stages', '0123456789abcdef.removed.x') }]);
  expect(existsSync(join(elsewhere, 'precious'))).toBe(true);
  expect(stagesIn(paths)).toEqual(['0123456789abcdef', ...idsOf(SECOND), 'notes'].sort());
});
