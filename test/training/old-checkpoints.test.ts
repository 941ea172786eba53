/**
 * Results of earlier versions. fixtures/before-descriptions has those of a version whose checkpoints did not describe their
 * model (make.js): a finished pre-training, and a fine-tuning that was stopped after one of two epochs.
 */
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import { readExported } from '../../src/cli/export-weights.js';
import { openStageData } from '../../src/data/stage-data.js';
import { buildPlan } from '../../src/spec/plan.js';
import type { Plan, Stage } from '../../src/spec/stages.js';
import { readSweep } from '../../src/spec/sweep.js';
import { sweepPaths } from '../../src/store/layout.js';
import { choosePlans } from '../../src/store/plans.js';
import type { StageEvent } from '../../src/store/records.js';
import { readSafetensors } from '../../src/store/safetensors.js';
import { readParent } from '../../src/training/parent.js';
import { runStage } from '../../src/training/run-stage.js';
import { exportFiles } from '../../src/weights/export/files.js';
import { encoderOfFile, encoderOfStage } from '../../src/weights/encoder.js';
import { relativeError } from '../support/arrays.js';
import { temporaryFolder } from '../support/cli.js';

const FIXTURE = join(process.cwd(), 'test/training/fixtures/before-descriptions');
const root = temporaryFolder();
afterAll(() => {
  root.remove();
});

let pretrain: Stage;
let finetune: Stage;
let kept: Plan;

beforeAll(async () => {
  await tf.setBackend('cpu');
  kept = choosePlans(sweepPaths(join(FIXTURE, 'results')), 'newest').plan;
  [pretrain, finetune] = kept.stages as [Stage, Stage];
});

let copies = 0;
/** A copy of the old results folder. */
function oldFolder(): string {
  const folder = join(root.path, `${copies++}`);
  cpSync(join(FIXTURE, 'results'), folder, { recursive: true });
  return folder;
}

const pathsOf = (folder: string, { id }: Stage) => sweepPaths(folder).stage(id);

async function run(folder: string, stage: Stage): Promise<StageEvent[]> {
  const events: StageEvent[] = [];
  await runStage(stage, pathsOf(folder, stage), {
    device: 'cpu',
    emit: (event) => events.push(event),
    signal: new AbortController().signal,
    mayWrite: () => undefined,
    checkpointEvery: Infinity,
  });
  return events;
}

test('a spec of that version plans the same stages now', async () => {
  const { SPEC } = (await import(pathToFileURL(join(FIXTURE, 'spec.js')).href)) as { SPEC: string };
  const sweep = readSweep(SPEC, { file: 'old.yaml', defaultName: 'old' });
  const { fingerprint } = await openStageData(pretrain.config);
  expect(buildPlan(sweep, () => fingerprint).stages.map(({ id }) => id)).toEqual(kept.stages.map(({ id }) => id));
});

test('a fine-tuning continues from its old checkpoint, and ends as one that was not stopped', async () => {
  const [resumed, whole] = [oldFolder(), oldFolder()];
  rmSync(pathsOf(whole, finetune).checkpoint);
  expect(await run(resumed, finetune)).toContainEqual(expect.objectContaining({ type: 'started', fromStep: 2 }));
  expect(await run(whole, finetune)).toContainEqual(expect.objectContaining({ type: 'started', fromStep: 0 }));
  const [after, expected] = [resumed, whole].map((folder) => readSafetensors(pathsOf(folder, finetune).checkpoint));
  for (const [name, { data }] of expected!.tensors) {
    expect([name, relativeError(after!.tensors.get(name)!.data, data)]).toEqual([name, expect.closeTo(0, 5)]);
  }
  expect(after!.metadata).toMatchObject({ stage: finetune.id, classes: expect.stringContaining('crescent') as string });
});

test('a pre-training is exported by the configuration of its stage', () => {
  const folder = oldFolder();
  const { source } = readExported(folder, kept, { kind: 'pretrain' });
  expect(source).toMatchObject({ kind: 'pretrained', model: { dim: 8, heads: 2, classToken: true } });
  expect(exportFiles('mae', source).json['config.json']).toMatchObject({ num_heads: 2, patch_size: 4 });
});

test('its encoder computes features as a stage, and as a file with a config.json that has the heads', () => {
  const folder = oldFolder();
  const { checkpoint } = pathsOf(folder, pretrain);
  const ofStage = encoderOfStage(checkpoint, pretrain.config, null);
  expect(ofStage.normalisation.mean[0]).toBe(0.485);
  expect(() => encoderOfFile(checkpoint, 'auto')).toThrow(
    'does not say how many attention heads it has; put the config.json of its model beside it',
  );
  writeFileSync(join(checkpoint, '../config.json'), '{"num_attention_heads": 2}');
  const ofFile = encoderOfFile(checkpoint, 'auto');
  expect(ofFile.model).toMatchObject({ dim: 8, heads: 2, depth: 1, imageSize: 8, patchSize: 4, qkvBias: 'qv' });
  expect(ofFile.weights).toEqual(ofStage.weights);
});

describe('a checkpoint without a checksum, of a still earlier version', () => {
  /** The file as that version wrote it. */
  function withoutChecksum(path: string): void {
    const bytes = readFileSync(path);
    const end = 8 + Number(bytes.readBigUInt64LE());
    const header = bytes.toString('utf8', 8, end).replace(/"sha256":"[0-9a-f]{64}",/, '');
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(Buffer.byteLength(header)));
    writeFileSync(path, Buffer.concat([length, Buffer.from(header), bytes.subarray(end)]));
  }

  test('starts no fine-tuning: the message says that the sweep repeats the pre-training', () => {
    const paths = pathsOf(oldFolder(), pretrain);
    withoutChecksum(paths.checkpoint);
    expect(() => readParent(paths, pretrain.id)).toThrow(
      `${paths.checkpoint} is damaged: it has no checksum; run the sweep again: it repeats pre-training ${pretrain.id}`,
    );
  });

  test('is not resumed from: a warning says so, and the stage begins anew', async () => {
    const folder = oldFolder();
    withoutChecksum(pathsOf(folder, finetune).checkpoint);
    const events = await run(folder, finetune);
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'warning', message: expect.stringContaining('it has no checksum') as string }),
    );
    expect(events).toContainEqual(expect.objectContaining({ type: 'started', fromStep: 0 }));
  });
});
