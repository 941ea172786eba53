import { rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { resultOf } from '../runner/support.js';
import { readJson, writeJson } from '../../src/store/files.js';
import { sweepPaths } from '../../src/store/layout.js';
import { planSchema, type StageState } from '../../src/store/records.js';
import { accuracies, collect, resultsMaker } from './support.js';

const results = resultsMaker();
const SCRATCH = 'name: one\ngrid: {objective: [scratch], seed: [0, 1]}';

const RUNNING: StageState = {
  status: 'running',
  attempt: 1,
  pid: 1,
  host: 'here',
  startedAt: '2026-01-01T00:00:00.000Z',
  endedAt: null,
  reason: null,
  cause: null,
};

const stageOf = (folder: string, index: number) => {
  const plan = readJson(join(folder, 'plan.json'), planSchema)!;
  return sweepPaths(folder).stage(plan.stages[index]!.id);
};

const whyMissing = (folder: string) => collect([folder]).missing.map(({ why }) => why);

test('reads every stage of a plan, with what is missing', () => {
  const folder = results(SCRATCH, accuracies({ scratch: [40, null] }));
  const data = collect([folder]);
  expect(data.sweeps).toMatchObject([{ name: 'one', folder, description: null, leftOut: 0 }]);
  expect(data.jobs).toHaveLength(2);
  expect([...data.stages.values()].map(({ result }) => result)).toEqual([resultOf('finetune', { accuracy: 40 }), null]);
  expect(data.missing).toMatchObject([
    { stage: { config: { seed: 1 } }, folder: stageOf(folder, 1).folder, why: 'not run' },
  ]);
});

test.each([
  ['failed', 'the loss became NaN\n  a trace', 'failed: the loss became NaN'],
  ['interrupted', null, 'interrupted'],
  ['running', null, 'running'],
  ['done', null, 'done, but its result.json is gone; run the sweep again: it repeats the stage'],
] as const)('says why a result is missing: %s', (status, reason, why) => {
  const folder = results(SCRATCH, accuracies({ scratch: [40, null] }));
  writeJson(stageOf(folder, 1).state, { ...RUNNING, status, reason });
  expect(collect([folder]).missing).toMatchObject([{ why }]);
});

describe('several folders', () => {
  const [A, B] = [
    'grid: {objective: [scratch, masked], seed: [0]}',
    'grid: {objective: [scratch, identity], maskRatio: [0.75], seed: [0, 1]}',
  ];

  test('are merged: a stage is read once, equal jobs are one with the cells of both', () => {
    const table = { scratch: [40, 41], masked: [50, 51] };
    const [a, b] = [results(A, accuracies(table)), results(B, accuracies(table))];
    const data = collect([a, b]);
    expect(data.jobs).toHaveLength(4);
    expect(data.stages.size).toBe(6);
    const masked = data.jobs.find(({ task, seed }) => task !== null && seed === 0)!;
    expect(masked.cells.map(({ objective, maskRatio }) => [objective, maskRatio])).toEqual([
      ['masked', null],
      ['identity', 0.75],
    ]);
    expect(data.missing).toEqual([]);
  });

  test('complete each other, in either order', () => {
    const a = results(SCRATCH, accuracies({ scratch: [40, null] }));
    const b = results(SCRATCH, accuracies({ scratch: [null, 41] }));
    for (const folders of [
      [a, b],
      [b, a],
    ]) {
      const data = collect(folders);
      expect(data.missing).toEqual([]);
      expect(
        [...data.stages.values()].map(({ result }) => result !== null && 'accuracy' in result && result.accuracy),
      ).toEqual([40, 41]);
    }
  });

  test('may have taken different times over one stage', () => {
    const a = results(SCRATCH, () => ({ accuracy: 40, seconds: 1 }));
    const b = results(SCRATCH, () => ({ accuracy: 40, seconds: 9, imagesPerSecond: 9 }));
    expect(() => collect([a, b])).not.toThrow();
  });

  test('may have passed over the same images at different paths', () => {
    const [a, b] = [results(SCRATCH, () => ({ accuracy: 40 })), results(SCRATCH, () => ({ accuracy: 40 }))];
    const passOver = (folder: string, ...corruptImages: string[]): void => {
      writeJson(stageOf(folder, 0).result, { ...resultOf('finetune', { accuracy: 40 }), corruptImages });
    };
    passOver(a, 'here/one.png');
    passOver(b, 'there/one.png');
    expect(() => collect([a, b])).not.toThrow();
    passOver(b, 'there/one.png', 'there/two.png');
    expect(() => collect([a, b])).toThrow('are results of one stage and differ');
  });

  test('keep what the folder that tried a stage says of it, in either order', () => {
    const [a, b] = [results(SCRATCH, () => null), results(SCRATCH, () => null)];
    writeJson(stageOf(a, 1).state, { ...RUNNING, status: 'failed', reason: 'the loss became NaN' });
    for (const folders of [
      [a, b],
      [b, a],
    ]) {
      expect(collect(folders).missing.map(({ why }) => why)).toEqual(['not run', 'failed: the loss became NaN']);
    }
  });

  test('must be of one sweep', () => {
    const [a, b] = [results(SCRATCH, () => null), results(SCRATCH.replace('name: one', 'name: two'), () => null)];
    expect(() => collect([a, b])).toThrow(
      `${a} holds the sweep "one" and ${b} the sweep "two"; only folders of one sweep are merged`,
    );
  });

  test('may not contradict each other', () => {
    const a = results(SCRATCH, accuracies({ scratch: [40, 41] }));
    const b = results(SCRATCH, accuracies({ scratch: [40, 42] }));
    expect(() => collect([a, b])).toThrow(
      `${stageOf(a, 1).result} and ${stageOf(b, 1).result} are results of one stage and differ; ` +
        'report their folders apart, or delete the one you do not trust',
    );
  });
});

describe('what does not count is named', () => {
  test('a folder that does not exist, and one without a plan', () => {
    const folder = results(SCRATCH, () => null);
    expect(() => collect([`${folder}-x`])).toThrow(/-x does not exist; name a folder that vitmim sweep wrote/);
    rmSync(join(folder, 'plan.json'));
    expect(() => collect([folder])).toThrow(/has no plan, so it is no results folder/);
    expect(() => collect([])).toThrow('name at least one results folder');
  });

  test('a result of another stage, and one that started from another checkpoint than its pre-training has now', () => {
    const folder = results('grid: { objective: [masked], seed: [0] }', accuracies({ masked: [40] }));
    const [pretrain, finetune] = [stageOf(folder, 0), stageOf(folder, 1)];
    const numbers = resultOf('finetune');
    writeJson(finetune.result, { ...numbers, stage: '0123456789abcdef' });
    expect(whyMissing(folder)).toEqual([
      'its result belongs to stage 0123456789abcdef; run the sweep again: it repeats the stage',
    ]);
    const id = basename(pretrain.folder);
    writeJson(pretrain.result, { ...resultOf('pretrain'), checkpoint: 'a'.repeat(64) });
    writeJson(finetune.result, { ...numbers, parent: { id, sha256: 'b'.repeat(64) } });
    expect(whyMissing(folder)).toEqual([
      expect.stringContaining('the checkpoint that it started from is no longer the checkpoint of its pre-training'),
    ]);
    writeJson(finetune.result, { ...numbers, parent: { id, sha256: 'a'.repeat(64) } });
    expect(collect([folder]).missing).toEqual([]);
  });

  test('a damaged result, and one of another kind', () => {
    const folder = results(SCRATCH, accuracies({ scratch: [40, 41] }));
    const { result } = stageOf(folder, 0);
    writeFileSync(result, '{"kind":"fine');
    expect(whyMissing(folder)).toEqual([expect.stringMatching(/^its result.json is damaged.*; run the sweep again/)]);
    writeJson(result, resultOf('knn'));
    expect(whyMissing(folder)).toEqual([
      expect.stringContaining('its result holds the numbers of a knn stage, not of finetune'),
    ]);
  });
});
