import { mkdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { statusOf, workLeft, type StageStatus } from '../../src/runner/status.js';
import type { StageKind } from '../../src/spec/stages.js';
import { Claimant } from '../../src/store/claims.js';
import { appendJsonLine, writeJson } from '../../src/store/files.js';
import { sweepPaths } from '../../src/store/layout.js';
import type { StageState } from '../../src/store/records.js';
import { planOf, resultOf, temporaryFolder } from './support.js';

/** Pre-training, fine-tuning and kNN of one job. */
const PLAN = planOf(
  'job: {evaluate: [finetune, knn], finetune: {epochs: 7, warmupEpochs: 1}}\ngrid: {objective: [masked]}',
);
const KINDS = PLAN.stages.map(({ config }) => config.kind);
const root = temporaryFolder();
let count = 0;

const state = (status: StageState['status']): StageState => ({
  status,
  attempt: 1,
  pid: 1,
  host: hostname(),
  startedAt: '2026-01-01T00:00:00.000Z',
  endedAt: null,
  reason: null,
  cause: null,
});

/** A results folder of the plan with the given states by kind, and results of what is named so. */
function folderOf(states: Partial<Record<StageKind, StageState['status']>>, results: readonly StageKind[] = []) {
  const folder = join(root, String(count++));
  const pathsOf = (kind: StageKind) => sweepPaths(folder).stage(PLAN.stages[KINDS.indexOf(kind)]!.id);
  for (const kind of KINDS) {
    mkdirSync(pathsOf(kind).folder, { recursive: true });
    if (states[kind] !== undefined) writeJson(pathsOf(kind).state, state(states[kind]));
    if (results.includes(kind)) writeJson(pathsOf(kind).result, resultOf(kind));
  }
  const statuses = () => Object.fromEntries(statusOf(PLAN, folder).map(({ stage, status }) => [stage.kind, status]));
  return { folder, pathsOf, statuses };
}

describe('the status of a stage', () => {
  test('is pending before its first attempt', () => {
    const { folder, statuses } = folderOf({});
    expect(statuses()).toEqual({ pretrain: 'pending', finetune: 'pending', knn: 'pending' });
    expect(statusOf(PLAN, folder)[0]).toMatchObject({
      stage: { name: 'pretrain masked' },
      state: null,
      progress: null,
    });
  });

  test('is done with its result, and pending without', () => {
    const { statuses } = folderOf({ pretrain: 'done', finetune: 'done', knn: 'interrupted' }, ['pretrain']);
    expect(statuses()).toEqual({ pretrain: 'done', finetune: 'pending', knn: 'interrupted' });
  });

  test('is blocked if its parent failed, unless it is done already', () => {
    const { statuses } = folderOf({ pretrain: 'failed', knn: 'done' }, ['knn']);
    expect(statuses()).toEqual({ pretrain: 'failed', finetune: 'blocked', knn: 'done' });
  });

  test('is running under the claim of a process that lives, and lost without one', () => {
    const { pathsOf, statuses } = folderOf({ pretrain: 'running', finetune: 'running', knn: 'running' });
    new Claimant().claim(pathsOf('pretrain'));
    const claim = new Claimant().claim(pathsOf('knn'));
    if (!('claim' in claim)) throw new Error('held');
    claim.claim.release();
    expect(statuses()).toEqual({ pretrain: 'running', finetune: 'lost', knn: 'lost' });
  });

  test('is pending if its state is damaged', () => {
    const { pathsOf, statuses } = folderOf({ pretrain: 'running' });
    writeFileSync(pathsOf('pretrain').state, '{"status":"runn');
    expect(statuses().pretrain).toBe('pending');
  });
});

describe('the progress of a stage', () => {
  const progressOf = (kind: StageKind, lines: readonly unknown[], end = '') => {
    const { folder, pathsOf } = folderOf({ [kind]: 'running' });
    new Claimant().claim(pathsOf(kind));
    for (const line of lines) appendJsonLine(pathsOf(kind).metrics, line);
    if (end !== '') writeFileSync(pathsOf(kind).metrics, end, { flag: 'a' });
    return statusOf(PLAN, folder)[KINDS.indexOf(kind)]!.progress;
  };
  const reading = (epoch: number) => ({ step: 4 * epoch, epoch, loss: 0.5, learningRate: 1e-3, imagesPerSecond: 90 });

  test('is its last reading of the loss, even if other lines follow it', () => {
    const evaluated = { epoch: 2, step: 8, accuracy: 40, top5: null };
    expect(progressOf('finetune', [reading(1), reading(1.5), evaluated], '{"step":9,"epo')).toEqual({
      epoch: 1.5,
      epochs: 7,
      loss: 0.5,
      imagesPerSecond: 90,
    });
  });

  test('is the only reading there is', () => {
    expect(progressOf('pretrain', [reading(3)])).toMatchObject({ epoch: 3 });
  });

  test('is found at the end of a long file', () => {
    const lines = Array.from({ length: 500 }, (_, i) => reading(i / 10));
    expect(progressOf('pretrain', lines)).toMatchObject({ epoch: 49.9 });
  });

  test('is unknown before the first reading, and of stages that do not train', () => {
    expect(progressOf('pretrain', [])).toBeNull();
    expect(progressOf('pretrain', [{ epoch: 1 }])).toBeNull();
    expect(progressOf('knn', [reading(1)])).toBeNull();
  });
});

describe('the work that is left', () => {
  const status = (kind: StageKind, how: StageStatus['status'], seconds?: number): StageStatus => ({
    stage: { id: 'x', kind, entry: kind, name: 'x' },
    status: how,
    state:
      seconds === undefined
        ? null
        : { ...state('done'), endedAt: new Date(Date.UTC(2026, 0, 1) + 1000 * seconds).toISOString() },
    damage: null,
    decision: null,
    progress: null,
  });

  test('is what stages of each kind took on average, for each that is not done', () => {
    const left = workLeft([
      status('pretrain', 'done', 10),
      status('pretrain', 'done', 20),
      status('pretrain', 'pending'),
      status('pretrain', 'failed', 900),
      status('knn', 'done', 4),
      status('knn', 'blocked'),
    ]);
    expect(left).toEqual({ seconds: 15 + 15 + 4, atLeast: false });
  });

  test('is a lower bound if a kind was not measured', () => {
    expect(workLeft([status('pretrain', 'done', 10), status('knn', 'pending')])).toEqual({ seconds: 0, atLeast: true });
  });

  test('is unknown if nothing was measured, and never negative if a clock was set back', () => {
    expect(workLeft([status('pretrain', 'running'), status('knn', 'done')])).toBeNull();
    expect(workLeft([status('knn', 'done', -50), status('knn', 'pending')])).toEqual({ seconds: 0, atLeast: false });
  });
});
