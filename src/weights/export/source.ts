/** A model to export: its weights with everything that other programs need. */
import { UsageError } from '../../common/errors.js';
import type { EncoderConfig, ModelConfig } from '../../spec/model.js';
import type { StageConfig } from '../../spec/stages.js';
import type { Task } from '../../spec/task.js';
import { checkpointOf } from '../../spec/stage-work.js';
import { STAGE_ENTRIES } from '../../stages/index.js';
import { CorruptFileError, readSafetensorsHeader, streamSafetensors } from '../../store/safetensors.js';
import { classesIn } from '../about.js';
import { AVERAGE, type NamedShape } from '../names.js';
import type { Tensor, TensorsByName } from '../tensors.js';

/** A classifier. */
export interface Classifier {
  kind: 'classifier';
  model: EncoderConfig;
  /** In the order of the outputs. */
  classes: readonly string[];
  weights: TensorsByName;
}

/** An encoder with the decoder that it was pre-trained with. */
export interface Pretrained {
  kind: 'pretrained';
  model: ModelConfig;
  task: Task;
  weights: TensorsByName;
}

export type ExportSource = Classifier | Pretrained;

/**
 * Reads the weights of a finished stage. The whole file is verified.
 *
 * @param digest The digest of the checkpoint by the stage's result; null: not recorded.
 * @throws UsageError if the file is missing or damaged, is not the one of the result, or has no encoder or classifier.
 */
export function readExportSource(path: string, config: StageConfig, digest: string | null): ExportSource {
  return undamaged(() => readSource(path, config, digest));
}

/** @throws UsageError with the remedy, in place of a CorruptFileError. */
export function undamaged<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof CorruptFileError)) throw error;
    throw new UsageError(`${error.message}; run the sweep again: it repeats the stage`);
  }
}

function readSource(path: string, config: StageConfig, digest: string | null): ExportSource {
  const entry = STAGE_ENTRIES[config.kind];
  if (entry.trains !== 'all weights' || !entry.exports) {
    throw new UsageError(
      `no export has the head of a ${entry.title}; choose a fine-tuning, or its pre-training: --kind pretrain`,
    );
  }
  const { tensors, metadata } = readSafetensorsHeader(path);
  const classes = tensors.get('head.bias')?.shape[0] ?? 0;
  const shapes = checkpointOf(config, classes)?.shapes ?? new Map<string, readonly number[]>();
  const wanted = [...shapes].map(([name, shape]) => ({ name, shape }));
  const weights = readStageWeights(path, config, digest, wanted);
  if (config.kind === 'pretrain') return { kind: 'pretrained', model: config.model, task: config.task, weights };
  const known = classesIn(metadata);
  // Checkpoints of earlier versions do not name their classes.
  const outputs = known?.length === classes ? known : Array.from({ length: classes }, (_, i) => `class ${i}`);
  return { kind: 'classifier', model: config.model, classes: outputs, weights };
}

/**
 * Reads some weights of a finished stage, those that its result was measured with: the averages of a fine-tuning with `ema`.
 * The whole file is verified.
 *
 * @throws CorruptFileError if it is damaged; UsageError if it does not have a tensor, or is not the one of the result.
 */
export function readStageWeights(
  path: string,
  config: StageConfig,
  digest: string | null,
  wanted: readonly NamedShape[],
): Map<string, Tensor> {
  const { tensors } = readSafetensorsHeader(path);
  for (const { name, shape } of wanted) {
    const found = tensors.get(name)?.shape;
    if (found?.join() !== shape.join()) {
      throw new UsageError(`${path} does not have ${name} [${shape.join(', ')}]; run the sweep again`);
    }
  }
  const averageOf = (name: string): string => `${AVERAGE}.${name}`;
  const storedName = (name: string): string =>
    config.kind !== 'pretrain' && tensors.has(averageOf(name)) ? averageOf(name) : name;
  const ownNames = new Map(wanted.map(({ name }) => [storedName(name), name]));
  const weights = new Map<string, Tensor>();
  const { sha256 } = streamSafetensors(path, {
    wants: (name) => ownNames.has(name),
    take: (name, value) => weights.set(ownNames.get(name)!, value),
  });
  if (digest !== null && sha256 !== digest) {
    throw new UsageError(`${path} is not the checkpoint that its result.json names; run the sweep again`);
  }
  return weights;
}
