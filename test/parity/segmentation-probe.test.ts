/**
 * A whole segmentation against PyTorch: the same head, trained by the same recipe on the same features, has the same losses and mean
 * IoU. segmentation-probe.py writes the fixture.
 */
import { join } from 'node:path';
import { z } from 'zod';
import type { Device } from '../../src/backends/device.js';
import { openDevice } from '../../src/backends/open.js';
import { readJsonLines } from '../../src/store/files.js';
import { stagePaths } from '../../src/store/layout.js';
import type { StageResult } from '../../src/store/records.js';
import { runStage } from '../../src/training/run-stage.js';
import { temporaryFolder } from '../support/cli.js';
import { readFixture } from './fixture.js';
import { segmentationCase, type SegmentationCase } from './segmentation-case.js';

interface Fixture {
  firstFeatures: number[];
  /** Mean of each epoch. */
  losses: number[];
  meanIou: number;
  classIou: number[];
  pixelAccuracy: number;
}

const expected = readFixture('segmentation-probe') as Fixture;
const folder = temporaryFolder();
let device: Device;
let own: SegmentationCase;
let result: StageResult;
let losses: number[];

beforeAll(async () => {
  device = await openDevice('simd');
  own = await segmentationCase();
  const paths = stagePaths(join(folder.path, own.stage.id));
  const signal = new AbortController().signal;
  const emit = () => undefined;
  result = await runStage(own.stage, paths, {
    device: 'simd',
    emit,
    signal,
    mayWrite: emit,
    checkpointEvery: Infinity,
  });
  losses = readJsonLines(paths.metrics, z.looseObject({ loss: z.number() })).map(({ loss }) => loss);
});
afterAll(() => {
  device.close();
  folder.remove();
});

test('the features are those that the fixture was made from', () => {
  const found = own.test.features.subarray(0, expected.firstFeatures.length);
  expect([...found]).toEqual(expected.firstFeatures.map((value) => expect.closeTo(value, 4) as number));
});

test('the losses of all epochs are those of PyTorch', () => {
  expect(losses).toEqual(expected.losses.map((loss) => expect.closeTo(loss, 3) as number));
});

test('mean IoU, pixel accuracy and the IoU of each class are those of PyTorch within half a point', () => {
  if (result.kind !== 'segment') throw new Error('expected a segmentation');
  const classIou = Object.values(result.classIou);
  expect(classIou).toHaveLength(expected.classIou.length);
  const found = [result.meanIou, result.pixelAccuracy, ...classIou.map((iou) => iou ?? NaN)];
  [expected.meanIou, expected.pixelAccuracy, ...expected.classIou].forEach((value, i) => {
    expect(Math.abs(found[i]! - value)).toBeLessThan(0.5);
  });
  expect(expected.classIou[1]).toBeGreaterThan(10); // the figure is predicted, not only the background
});
