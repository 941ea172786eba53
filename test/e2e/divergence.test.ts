/** A sweep whose recipe makes training diverge fails, and says so. Its numbers reach no table. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sweepPaths } from '../../src/store/layout.js';
import { choosePlans } from '../../src/store/plans.js';
import { readState } from '../../src/store/state.js';
import { temporaryFolder, vitmim } from '../support/cli.js';

const folder = temporaryFolder();
afterAll(() => {
  folder.remove();
});

const SPEC = `
name: too-fast
job:
  data: { name: shapes, imageSize: 16, trainImages: 320, testImages: 40 }
  model: { dim: 32, depth: 2, heads: 2, decoder: { dim: 32, depth: 1, heads: 2 } }
  pretrain: { epochs: 6, batchSize: 16, warmupEpochs: 0, baseLearningRate: 100 }
  finetune: { epochs: 6, batchSize: 16, warmupEpochs: 0, baseLearningRate: 100, mixup: 0, cutmix: 0, dropPath: 0 }
grid: { objective: [masked, scratch] }
`;

it('whose learning rate is a thousand times too large exits with 1 and says diverged, in both kinds of training', async () => {
  const spec = join(folder.path, 'spec.yaml');
  const out = join(folder.path, 'results');
  writeFileSync(spec, SPEC);
  const { code, stderr } = await vitmim(['sweep', spec, '--out', out, '--device', 'simd']);
  expect(stderr).toContain('failed   pretrain masked: diverged: the loss was');
  expect(stderr).toContain('failed   finetune scratch: diverged: the loss was');
  expect(code).toBe(1);
  const paths = sweepPaths(out);
  for (const { id } of choosePlans(paths, 'newest').plan.stages) {
    expect(existsSync(paths.stage(id).result)).toBe(false);
  }
  const causes = choosePlans(paths, 'newest').plan.stages.map(({ id }) => readState(paths.stage(id))?.cause);
  expect(causes.sort()).toEqual(['diverged', 'diverged', undefined]);
});
