/** The typed API: a sweep from its spec to the features of its encoder. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  openEncoder,
  planSweep,
  readResults,
  readSpec,
  runSweep,
  SpecError,
  UsageError,
  type SweepEvent,
} from '../../src/api/index.js';
import type { RunEvent } from '../../src/runner/events.js';
import { captured } from '../support/captured.js';
import { temporaryFolder } from '../support/cli.js';

const root = temporaryFolder();
afterAll(() => {
  root.remove();
});

const TEXT = `
job:
  data: { name: shapes, imageSize: 8, trainImages: 10, testImages: 10 }
  model: { dim: 8, depth: 1, heads: 2, patchSize: 4, decoder: { dim: 8, depth: 1, heads: 2 } }
  pretrain: { epochs: 1, warmupEpochs: 0, batchSize: 10 }
  evaluate: [{ name: neighbours, protocol: knn }]
grid: { objective: [masked, identity+masked], maskRatio: [0.5] }
`;
const ONE = TEXT.replace('[masked, identity+masked]', '[masked]');

describe('a spec', () => {
  test('is expanded into cells, and set keys are part of it', () => {
    const { name, cells, leftOut } = readSpec({ text: ONE, name: 'mine' }, { set: ['grid.seed=[3, 4]'] });
    expect([name, leftOut]).toEqual(['mine', []]);
    expect(cells.map(({ objective, maskRatio, seed }) => [objective, maskRatio, seed])).toEqual([
      ['masked', 0.5, 3],
      ['masked', 0.5, 4],
    ]);
  });

  test('with mistakes throws each with its line', () => {
    const read = (): unknown => readSpec({ text: ONE.replace('epochs: 1', 'epoch: 1') });
    expect(read).toThrow(SpecError);
    expect(read).toThrow(/spec\.yaml:5:15: .*epoch/);
  });

  test('that is missing is an error of usage', () => {
    expect(() => readSpec(join(root.path, 'none.yaml'))).toThrow(UsageError);
  });
});

test('a plan or a spec that was copied is refused', async () => {
  const spec = readSpec({ text: ONE });
  await expect(planSweep({ ...spec })).rejects.toThrow('planSweep takes what readSpec returned');
  await expect(runSweep({ ...(await planSweep(spec)) })).rejects.toThrow('runSweep takes what planSweep returned');
});

test('a sweep runs with events, and its results and features can be read; nothing is printed', async () => {
  const folder = join(root.path, 'results');
  const events: SweepEvent[] = [];
  const { value, text } = await captured(async () => {
    const lines: string[] = [];
    const plan = await planSweep(readSpec({ text: ONE, name: 'mine' }), { onMessage: (line) => lines.push(line) });
    const summary = await runSweep(plan, { folder, device: 'cpu', jobs: 1, onEvent: (event) => events.push(event) });
    const again = await runSweep(plan, { folder, device: 'cpu' });
    const encoder = await openEncoder({ results: folder, cell: 'objective=masked' }, { device: 'cpu' });
    const progress: number[] = [];
    const features = await encoder.features(join(folder, 'stages'), { onProgress: (done) => progress.push(done) });
    await expect(encoder.features(folder, { signal: AbortSignal.abort() })).rejects.toThrow(/aborted/);
    encoder.close();
    return { lines, plan, summary, again, features, progress, width: encoder.width };
  });
  expect(text).toBe('');
  const { plan, summary, again, features } = value;
  expect(value.lines).toEqual([expect.stringContaining('data shapes: train 10 images')]);
  const [pretrain, knn] = plan.stages;
  expect(plan.stages).toMatchObject([
    { kind: 'pretrain', entry: 'pretrain', parent: null },
    { kind: 'knn', entry: 'neighbours', parent: pretrain!.id },
  ]);
  expect(summary).toMatchObject({ stages: 2, done: 2, hits: 0, failed: [], pending: 0 });
  expect(again).toMatchObject({ stages: 2, done: 0, hits: 2 });

  const of = (type: SweepEvent['type']) => events.filter((event) => event.type === type);
  expect(events.at(0)).toMatchObject({ type: 'plan-started', toRun: { pretrain: 1, neighbours: 1 } });
  expect(of('stage-done').map((event) => 'stage' in event && event.stage.id)).toEqual([pretrain!.id, knn!.id]);
  expect(events.at(-1)).toEqual({ type: 'run-ended', summary });

  const { rows, missing } = readResults(folder);
  expect(missing).toEqual([]);
  expect(rows).toMatchObject([
    {
      ...{ sweep: 'mine', objective: 'masked', maskRatio: 0.5, misalignment: 'none', style: 'preserved', seed: 0 },
      ...{ evaluation: 'neighbours', protocol: 'knn', repeat: 1, metric: 'accuracy', unit: '%' },
      ...{ stage: knn!.id, pretrain: pretrain!.id },
    },
  ]);
  const [row] = rows;
  expect(row!.value).toBe(row!.metrics.accuracy);
  expect(row!.numbers).toMatchObject({ testImages: 10 });

  expect(existsSync(join(folder, 'stages', pretrain!.id, 'preview.png'))).toBe(true);
  expect(features.names).toEqual([`${pretrain!.id}/preview.png`]);
  expect([features.shape, features.data.length, value.progress]).toEqual([[8], value.width, [1]]);
  expect(readdirSync(folder)).not.toContain('exports');
}, 240_000);

test('every event of the API is one that the runner has', () => {
  // The compiler checks the other direction in the code that passes the events on.
  const none: Exclude<SweepEvent['type'], RunEvent['type']>[] = [];
  expect(none).toEqual([]);
});

test.each([
  [{ results: 'nowhere', stage: 'abcd' }, 'nowhere'],
  [{ results: 'nowhere', kind: 'pretraining' }, '"pretraining" is no kind of stage; the kinds are pretrain, finetune'],
  [{ weights: 'none.safetensors' }, 'there is no file of weights at none.safetensors'],
])('no encoder is opened for %j', async (where, message) => {
  await expect(openEncoder(where)).rejects.toThrow(message);
});
