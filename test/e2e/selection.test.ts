/** A sweep that chooses a value on validation images, through the real executable and real training. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { readJson } from '../../src/store/files.js';
import { sweepPaths } from '../../src/store/layout.js';
import { resultSchema } from '../../src/store/records.js';
import { temporaryFolder, vitmim } from '../support/cli.js';
import { planIn } from '../support/plan.js';
import { eventsOf } from '../support/rig.js';

const SPEC = `
job:
  data: { name: shapes, imageSize: 16, trainImages: 80, testImages: 30, validation: 0.25 }
  model: { dim: 16, depth: 1, heads: 2, decoder: { dim: 8, depth: 1, heads: 2 } }
  evaluate: [knn]
grid: { objective: [scratch], seed: [0] }
select: { by: knn, over: { knn.k: [1, 20] }, seeds: [100] }
`;

const folder = temporaryFolder();
afterAll(() => {
  folder.remove();
});
const spec = join(folder.path, 'selection.yaml');
const out = join(folder.path, 'results');
const args = ['sweep', spec, '--out', out, '--device', 'simd'];

it('compares the values on validation images, runs the better one on the reported seed', async () => {
  writeFileSync(spec, SPEC);
  const { code } = await vitmim(args);
  expect(code).toBe(0);
  const { stages } = planIn(out);
  const measured = stages.map(({ id, config }) => {
    const result = readJson(sweepPaths(out).stage(id).result, resultSchema);
    return {
      config,
      trained: result?.trainImages,
      tested: result !== undefined && 'testImages' in result && result.testImages,
    };
  });
  const of = (kind: string, seed: number) =>
    measured.filter(({ config }) => config.kind === kind && config.seed === seed);
  expect(of('knn', 100).map(({ trained, tested }) => [trained, tested])).toEqual([
    [60, 20],
    [60, 20],
  ]);
  const runs = of('knn', 0).filter(({ trained }) => trained !== undefined);
  expect(runs.map(({ trained, tested }) => [trained, tested])).toEqual([[80, 30]]);
});

it('runs nothing the second time', async () => {
  const finished = await vitmim([...args, '--json']);
  expect(finished.code).toBe(0);
  expect(eventsOf(finished).filter(({ type }) => type === 'stage-started')).toEqual([]);
});

it('shows what was chosen, and nothing is missing', async () => {
  expect((await vitmim(['report', out, '--allow-unhealthy'])).code).toBe(0);
  const rows: unknown = parse(readFileSync(join(out, 'tables/selection.csv'), 'utf8'), { columns: true });
  expect(rows).toMatchObject([{ cell: 'scratch', trials: '2', outcome: 'chosen' }]);
});
