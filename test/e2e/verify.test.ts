/** The integrity chain: real stages, exchanged files, and what `vitmim verify` finds. */
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import type { Plan, StageKind } from '../../src/spec/stages.js';
import { stagePaths, sweepPaths, type StagePaths } from '../../src/store/layout.js';
import { keepPlan, planId, planPath } from '../../src/store/plans.js';
import { resultSchema, type StageResult } from '../../src/store/records.js';
import { temporaryFolder, vitmim } from '../support/cli.js';
import { planIn } from '../support/plan.js';
import { evaluationOf } from '../support/entries.js';

const folder = temporaryFolder();
afterAll(() => {
  folder.remove();
});

const spec = join(folder.path, 'tiny.yaml');
const clean = join(folder.path, 'clean');
const sweep = (out: string, ...args: string[]) =>
  vitmim(['sweep', spec, '--out', out, '--device', 'simd', '--jobs', '1', '--threads', '1', ...args]);

let plan: Plan;
beforeAll(async () => {
  writeFileSync(
    spec,
    `name: tiny
job:
  data: { name: shapes, imageSize: 16, trainImages: 20, testImages: 10 }
  model: { dim: 8, depth: 1, heads: 2, decoder: { dim: 8, depth: 1, heads: 2 } }
  pretrain: { epochs: 1, batchSize: 10, warmupEpochs: 0 }
  finetune: { epochs: 1, batchSize: 10, warmupEpochs: 0 }
  evaluate: [finetune, knn]
grid: { objective: [masked, blurred] }
`,
  );
  expect((await sweep(clean)).code).toBe(0);
  plan = planIn(clean);
});

/** A copy of the finished sweep, and its stages' files by objective and kind. */
function copy(name: string): { out: string; of: (objective: 'masked' | 'blurred', kind: StageKind) => StagePaths } {
  const out = join(folder.path, name);
  cpSync(clean, out, { recursive: true });
  return {
    out,
    of: (objective, kind) => {
      const job = plan.jobs.find(({ cells }) => cells[0]!.objective === objective)!;
      const id = kind === 'pretrain' ? job.pretrain! : evaluationOf(job, kind)!;
      return sweepPaths(out).stage(id);
    },
  };
}

const result = ({ result: path }: StagePaths): StageResult =>
  resultSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
/** What a result is about, without how long it took. */
function numbers(paths: StagePaths): Partial<StageResult> {
  const { seconds: _, imagesPerSecond: __, ...rest } = result(paths);
  return rest;
}

/** Exchanges text in a file of bytes. */
function edit(path: string, from: string, to: string): void {
  const before = readFileSync(path, 'latin1');
  expect(before).toContain(from);
  writeFileSync(path, before.replace(from, to), 'latin1');
}

const changeResult = (paths: StagePaths, change: object): void => {
  writeFileSync(paths.result, JSON.stringify({ ...result(paths), ...change }));
};

it('records the checkpoint of each stage, and the one that it started from', () => {
  for (const { id, parent, config } of plan.stages) {
    const { parent: recorded, checkpoint } = result(sweepPaths(clean).stage(id));
    if (parent === null) expect(recorded).toBeNull();
    else expect(recorded).toEqual({ id: parent, sha256: result(sweepPaths(clean).stage(parent)).checkpoint });
    if (config.kind === 'knn') expect(checkpoint).toBeNull();
    else expect(checkpoint).toMatch(/^[0-9a-f]{64}$/);
  }
});

describe('the checkpoint of another objective in place of a pre-training', () => {
  it('never becomes a number: the pre-training runs again, and its children have the numbers of before', async () => {
    const { out, of } = copy('exchanged');
    copyFileSync(of('blurred', 'pretrain').checkpoint, of('masked', 'pretrain').checkpoint);
    rmSync(of('masked', 'finetune').result);
    rmSync(of('masked', 'finetune').checkpoint);
    const { code, stderr } = await sweep(out);
    expect(code).toBe(0);
    expect(stderr).toContain('pretrain masked: its checkpoint belongs to stage');
    expect(stderr).toContain('warning  pretrain masked: ');
    const { of: before } = copy('before');
    for (const kind of ['pretrain', 'finetune', 'knn'] as const) {
      expect(numbers(of('masked', kind))).toEqual(numbers(before('masked', kind)));
    }
    expect((await vitmim(['verify', out])).code).toBe(0);
  });

  it('is an error for a stage that is trained by hand, with its result beside it or without', async () => {
    const { of } = copy('by-hand');
    const [masked, blurred] = [of('masked', 'pretrain'), of('blurred', 'pretrain')];
    const train = () => vitmim(['train', of('masked', 'knn').stage, '--device', 'cpu']);
    copyFileSync(blurred.checkpoint, masked.checkpoint);
    const foreign = await train();
    expect(foreign.code).toBe(1);
    expect(foreign.stderr).toContain(`${masked.checkpoint} belongs to stage`);
    expect(foreign.stderr).toContain('run the sweep again');
    rmSync(masked.result);
    const alone = await train();
    expect(alone.code).toBe(1);
    expect(alone.stderr).toContain(`${masked.result} is missing`);
  });

  it('does not go on from a fine-tuning of other weights', async () => {
    const { out, of } = copy('pre-trained-again');
    // The same identity with other weights: as from another machine.
    const masked = of('masked', 'pretrain');
    rmSync(masked.result);
    rmSync(masked.checkpoint);
    expect((await vitmim(['train', masked.stage, '--device', 'cpu'])).code).toBe(0);
    expect(result(masked).checkpoint).not.toBe(result(stagePaths(masked.folder.replace(out, clean))).checkpoint);
    const { code, stderr } = await sweep(out);
    expect(code).toBe(0);
    expect(stderr).toContain(
      'finetune masked: the checkpoint that it started from is no longer the checkpoint of its pre-training',
    );
    expect(stderr).toContain('began with other weights');
    expect(result(of('masked', 'finetune')).parent!.sha256).toBe(result(masked).checkpoint);
    expect((await vitmim(['verify', out])).code).toBe(0);
  });
});

describe('a checkpoint whose header was edited', () => {
  it('costs time, never a number', async () => {
    const { out, of } = copy('edited');
    const before = numbers(of('masked', 'finetune'));
    const { checkpoint, result: path } = of('masked', 'finetune');
    edit(checkpoint, '"step":"2"', '"step":"1"');
    rmSync(path);
    const { code, stderr } = await sweep(out);
    expect(code).toBe(0);
    expect(stderr).toMatch(/warning {2}finetune masked: .*checkpoint.safetensors is damaged: /);
    expect(numbers(of('masked', 'finetune'))).toEqual(before);
  });
});

describe('vitmim verify', () => {
  it('says that everything fits', async () => {
    const { code, stdout, stderr } = await vitmim(['verify', clean]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe(`${clean}: 6 results and 4 checkpoints of 6 stages checked: everything fits together\n`);
  });

  it.each<[string, string, string, (of: ReturnType<typeof copy>['of']) => StagePaths]>([
    [
      'flipped-bit',
      'checkpoint.safetensors',
      'is damaged: it does not match its checksum; delete it and run the sweep again',
      (of) => {
        const bytes = readFileSync(of('masked', 'pretrain').checkpoint);
        bytes[bytes.length - 9]! ^= 1;
        writeFileSync(of('masked', 'pretrain').checkpoint, bytes);
        return of('masked', 'pretrain');
      },
    ],
    [
      'foreign-checkpoint',
      'checkpoint.safetensors',
      'belongs to stage ',
      (of) => {
        copyFileSync(of('blurred', 'finetune').checkpoint, of('masked', 'finetune').checkpoint);
        return of('masked', 'finetune');
      },
    ],
    [
      'another-digest',
      'checkpoint.safetensors',
      'is not the one that its result.json names',
      (of) => {
        changeResult(of('masked', 'finetune'), { checkpoint: 'a'.repeat(64) });
        return of('masked', 'finetune');
      },
    ],
    [
      'another-parent',
      'result.json',
      'cannot be trusted: the checkpoint that it started from is no longer the checkpoint of its pre-training',
      (of) => {
        changeResult(of('masked', 'knn'), {
          parent: { ...result(of('masked', 'knn')).parent, sha256: 'b'.repeat(64) },
        });
        return of('masked', 'knn');
      },
    ],
    [
      'foreign-result',
      'result.json',
      'is of another stage: its result belongs to stage ',
      (of) => {
        copyFileSync(of('blurred', 'knn').result, of('masked', 'knn').result);
        return of('masked', 'knn');
      },
    ],
    [
      'no-digest',
      'result.json',
      'does not say which checkpoint it is of',
      (of) => {
        changeResult(of('masked', 'finetune'), { checkpoint: null });
        return of('masked', 'finetune');
      },
    ],
    [
      'half-a-result',
      'result.json',
      'is damaged: it is not JSON, or is cut short; run the sweep again',
      (of) => {
        writeFileSync(of('masked', 'knn').result, '{"kind":');
        return of('masked', 'knn');
      },
    ],
    [
      'edited-stage',
      'stage.json',
      'does not match its identity',
      (of) => {
        edit(of('masked', 'knn').stage, '"seed": 0', '"seed": 1');
        return of('masked', 'knn');
      },
    ],
    [
      'foreign-stage',
      'stage.json',
      'is of stage ',
      (of) => {
        copyFileSync(of('blurred', 'knn').stage, of('masked', 'knn').stage);
        return of('masked', 'knn');
      },
    ],
    [
      'no-stage',
      'stage.json',
      'is missing beside the files of the stage',
      (of) => {
        rmSync(of('masked', 'knn').stage);
        return of('masked', 'knn');
      },
    ],
    [
      'damaged-best',
      'checkpoint-best.safetensors',
      'is damaged: it is cut short',
      (of) => {
        writeFileSync(of('masked', 'finetune').bestCheckpoint, 'weights');
        return of('masked', 'finetune');
      },
    ],
  ])('names the file of %s, and exits with 1', async (name, file, problem, plant) => {
    const { out, of } = copy(`verify-${name}`);
    const at = plant(of);
    const { code, stdout } = await vitmim(['verify', out]);
    expect(code).toBe(1);
    const path = join('stages', at.folder.split('/').at(-1)!, file);
    expect(stdout.split('\n')[0]).toContain(`${path} ${problem}`);
    expect(stdout).toContain(`1 mismatch, the first in ${path}\n`);
  });

  it('counts what is missing, which is no mismatch, and what the newest plan does not have', async () => {
    const { out, of } = copy('missing');
    rmSync(of('masked', 'pretrain').checkpoint);
    rmSync(of('blurred', 'knn').folder, { recursive: true });
    mkdirSync(join(out, 'stages', 'not-a-stage'));
    const dropped = basename(of('masked', 'knn').folder);
    const smaller = {
      ...plan,
      stages: plan.stages.filter(({ id }) => id !== dropped),
      jobs: plan.jobs.map(({ evaluations: { knn, ...others }, ...job }) => ({
        ...job,
        evaluations: knn === undefined || knn === dropped ? others : { ...others, knn },
      })),
    };
    keepPlan(sweepPaths(out), smaller, new Date());
    const { code, stdout } = await vitmim(['verify', out, '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      folder: out,
      ...{
        plans: 2,
        stages: 6,
        results: 5,
        checkpoints: 3,
        missingResults: 1,
        missingCheckpoints: 1,
        otherRevisions: 0,
      },
      mismatches: [],
    });
  });

  it('names a plan that was edited, and refuses what is no results folder', async () => {
    const { out } = copy('edited-plan');
    const file = planPath(sweepPaths(out), planId(plan));
    edit(file, '"dataFingerprint": "', '"dataFingerprint": "x');
    const { code, stdout } = await vitmim(['verify', out, '--json']);
    expect(code).toBe(1);
    const [first] = (JSON.parse(stdout) as { mismatches: object[] }).mismatches;
    expect(first).toMatchObject({
      file: relative(out, file),
      problem: 'holds a stage that does not match its identity',
    });
    for (const text of ['{"version":1}', '{']) {
      writeFileSync(file, text);
      expect((await vitmim(['verify', out])).code).toBe(2);
    }
    expect(await vitmim(['verify', join(folder.path, 'nowhere')])).toMatchObject({ code: 2 });
  });

  it('writes nothing into the folder', async () => {
    const { out, of } = copy('read-only');
    const all = [out, join(out, 'stages'), of('masked', 'pretrain').folder];
    for (const path of all) chmodSync(path, 0o555);
    expect((await vitmim(['verify', out])).code).toBe(0);
    for (const path of all) chmodSync(path, 0o755);
    expect(existsSync(join(out, 'report.md'))).toBe(existsSync(join(clean, 'report.md')));
  });
});
