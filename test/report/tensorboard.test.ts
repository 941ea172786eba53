/** Event files, read back by the tensorboard package itself if it is installed, and by their checksums anyway. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportTensorboard } from '../../src/report/export-tensorboard.js';
import { toEventFile } from '../../src/report/writers/tensorboard.js';
import { sweepPaths } from '../../src/store/layout.js';
import { planOf } from '../runner/support.js';
import { hasPackages, PYTHON, onlyIf } from '../support/capabilities.js';

const root = mkdtempSync(join(tmpdir(), 'vitmim-'));
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

const hasTensorboard = hasPackages(['tensorboard'], 'VITMIM_REQUIRE_TENSORBOARD');

const READ = `
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
accumulator = EventAccumulator(sys.argv[1]).Reload()
print(json.dumps({tag: [[e.step, e.value, e.wall_time] for e in accumulator.Scalars(tag)] for tag in accumulator.Tags()["scalars"]}))
`;

test('a record is a length, its checksum, the data and its checksum', () => {
  const bytes = toEventFile([]);
  // The version record of every event file at time 0, as TensorFlow writes it: 24 bytes of data.
  expect(Number(bytes.readBigUInt64LE(0))).toBe(24);
  expect(bytes.length).toBe(8 + 4 + 24 + 4);
  expect(bytes.subarray(8, 12).toString('hex')).toBe('a37f4b22');
});

onlyIf(hasTensorboard, test)('TensorBoard reads the curves of every stage', () => {
  const plan = planOf('grid: {objective: [masked]}');
  const folder = join(root, 'out');
  const [pretrain, finetune] = plan.stages.map(({ id }) => sweepPaths(folder).stage(id));
  const line = (values: object): string => `${JSON.stringify(values)}\n`;
  mkdirSync(pretrain!.folder, { recursive: true });
  mkdirSync(finetune!.folder, { recursive: true });
  const time = '2026-01-01T00:00:10.000Z';
  writeFileSync(
    pretrain!.metrics,
    line({ step: 20, epoch: 1, loss: 0.9, learningRate: 1e-3, imagesPerSecond: 100, time }) +
      line({ step: 40, epoch: 2, loss: 0.8, learningRate: 2e-3, imagesPerSecond: 100, time }) +
      line({ step: 40, epoch: 2, loss: 0.75, learningRate: 2e-3, imagesPerSecond: 90, time }) + // done again
      '{"step": 60, "epoch": 3, "lo', // a crash
  );
  writeFileSync(
    finetune!.metrics,
    line({ step: 300, epoch: 2, validation: { accuracy: 47, top5: null, images: 9 } }) +
      line({ step: 300, epoch: 2, accuracy: 45.5, top5: null }),
  );
  const files = exportTensorboard(plan, folder, join(root, 'tensorboard'));
  expect(files).toHaveLength(2);
  const read = (file: string): Record<string, [number, number, number][]> =>
    JSON.parse(execFileSync(PYTHON, ['-c', READ, join(file, '..')], { encoding: 'utf8' })) as ReturnType<typeof read>;
  const seconds = Date.parse(time) / 1000;
  const first = read(files[0]!);
  expect(Object.keys(first).sort()).toEqual(['images per second', 'learning rate', 'loss']);
  expect(first.loss).toEqual([
    [20, Math.fround(0.9), seconds],
    [40, 0.75, seconds],
  ]);
  expect(read(files[1]!)).toEqual({
    'accuracy/top-1': [[300, 45.5, 0]],
    'validation accuracy/top-1': [[300, 47, 0]],
  });
});
