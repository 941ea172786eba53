/** The source of an encoder: a stage of a results folder, or a file of weights. */
import type { DecodeMode } from '../data/formats/format.js';
import { findFinished } from '../runner/finished-stage.js';
import type { StageChoice } from '../runner/choose-stage.js';
import { describeStage } from '../spec/describe.js';
import type { WeightsFormat } from '../spec/weights-formats.js';
import { sweepPaths } from '../store/layout.js';
import { choosePlans, type PlanChoice } from '../store/plans.js';
import { encoderOfFile, encoderOfStage, type EncoderWeights } from '../weights/encoder.js';

export type EncoderSource =
  | { kind: 'stage'; folder: string; plan: PlanChoice; choice: StageChoice }
  | { kind: 'file'; path: string; format: WeightsFormat | 'auto' };

export interface FoundEncoder extends EncoderWeights {
  /** In a sentence: `finetune masked seed 0`, or the path of the file. */
  name: string;
  /** How the images of the stage were decoded. */
  decode: DecodeMode;
}

/**
 * Reads an encoder.
 *
 * @throws UsageError if there is none, it is damaged, or several stages match.
 */
export function readEncoder(source: EncoderSource): FoundEncoder {
  if (source.kind === 'file') {
    return { ...encoderOfFile(source.path, source.format), name: source.path, decode: 'torchvision' };
  }
  const { folder, choice } = source;
  const { plan } = choosePlans(sweepPaths(folder), source.plan);
  const { stage, result, checkpoint } = findFinished(folder, plan, choice);
  const { data } = stage.config;
  return {
    ...encoderOfStage(checkpoint, stage.config, result.checkpoint),
    name: describeStage(plan, stage),
    decode: 'decode' in data ? data.decode : 'torchvision',
  };
}
