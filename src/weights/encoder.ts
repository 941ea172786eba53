/** The encoder of a finished stage or of a file of weights, to compute features with. Reads files; loads no tensors. */
import { z } from 'zod';
import { UsageError } from '../common/errors.js';
import type { Values } from '../model/parameters.js';
import { declarations } from '../spec/shapes.js';
import type { EncoderConfig, ModelConfig } from '../spec/model.js';
import type { StageConfig } from '../spec/stages.js';
import type { WeightsFormat } from '../spec/weights-formats.js';
import { readSafetensorsHeader } from '../store/safetensors.js';
import { NORMALISATION, normalisationIn, normalisationSchema, type Normalisation } from './about.js';
import { jsonBeside, modelOfShapes } from './architecture.js';
import { describeMisfit, fit, chosenFormat, isMisfit } from './convert.js';
import { readStageWeights, undamaged } from './export/source.js';
import { averagesOf, canonicalNames, FORMAT_TITLES, type NamedShape } from './names.js';
import { openWeightsFile } from './read-file.js';

export interface EncoderWeights {
  model: EncoderConfig;
  weights: Values;
  /** Of the images that the model was trained with. */
  normalisation: Normalisation;
}

/**
 * Whether a classifier reads the mean of the patch tokens. It then has a norm of that instead of the encoder's last
 * norm.
 */
export const hasClassifierNorm = (tensors: ReadonlyMap<string, unknown>): boolean => tensors.has('fc_norm.weight');

/** The tensors of an encoder, or of a classifier without the layer of its head. */
const tensorsOf = (model: EncoderConfig | ModelConfig, ofClassifier: boolean): NamedShape[] =>
  declarations(model, ofClassifier ? { for: 'classification', classes: 1 } : { for: 'encoding' }).filter(
    ({ name }) => !name.startsWith('head.'),
  );

/**
 * Reads the encoder of a finished stage. The whole file is verified.
 *
 * @param digest The digest of the checkpoint by the stage's result; null: not recorded.
 * @throws UsageError if the file is missing or damaged, is not the one of the result, or has no encoder.
 */
export function encoderOfStage(path: string, config: StageConfig, digest: string | null): EncoderWeights {
  return undamaged(() => {
    const { tensors, metadata } = readSafetensorsHeader(path);
    if (!tensors.has('patch_embed.proj.weight')) {
      throw new UsageError(`${path} has only a head; choose the pre-training of the cell by --kind pretrain`);
    }
    const wanted = tensorsOf(config.model, hasClassifierNorm(tensors));
    return {
      model: config.model,
      weights: asValues(readStageWeights(path, config, digest, wanted)),
      normalisation: normalisationIn(metadata) ?? NORMALISATION,
    };
  });
}

/**
 * Reads the encoder of a safetensors file of vitmim, timm, MAE's models or transformers.
 *
 * @throws UsageError if it is missing, is a pickle, or has no encoder. The message lists every tensor that does not
 *   fit.
 */
export function encoderOfFile(path: string, asked: WeightsFormat | 'auto'): EncoderWeights {
  const file = openWeightsFile(path);
  const format = chosenFormat(path, file.tensors, asked);
  const tensors = averagesOf(format, file.tensors);
  const model = modelOfShapes({ ...file, tensors }, format);
  const ofClassifier = model.pooling === 'mean' && hasClassifierNorm(canonicalNames(format, tensors));
  const outcome = fit(format, tensors, tensorsOf(model, ofClassifier));
  if (isMisfit(outcome)) {
    throw new UsageError(`${path} (${FORMAT_TITLES[format]}) has no complete encoder:\n${describeMisfit(outcome)}`);
  }
  return { model, weights: outcome.read(), normalisation: normalisationIn(file.metadata) ?? normalisationBeside(path) };
}

const asValues = (tensors: ReadonlyMap<string, { shape: readonly number[]; data: Float32Array }>): Values =>
  new Map([...tensors].map(([name, { shape, data }]) => [name, { shape: [...shape], data }]));

const perChannel = z.array(z.number()).length(3);
const processorSchema = z
  .looseObject({ image_mean: perChannel, image_std: perChannel })
  .transform(({ image_mean: mean, image_std: std }) => ({ mean, std }));
const timmSchema = z
  .looseObject({ pretrained_cfg: normalisationSchema })
  .transform(({ pretrained_cfg: normalisation }) => normalisation);

/** By the configurations that transformers and timm write beside a file; without one, the normalisation of ImageNet. */
function normalisationBeside(path: string): Normalisation {
  return (
    jsonBeside(path, 'preprocessor_config.json', processorSchema) ??
    jsonBeside(path, 'config.json', timmSchema) ??
    NORMALISATION
  );
}
