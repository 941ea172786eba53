/** The file of weights that a stage starts from (`model.weights` of a spec). */
import { UsageError } from '../common/errors.js';
import type { Values } from '../model/parameters.js';
import { declarations, pretrainPurpose, type Purpose } from '../spec/shapes.js';
import type { StageConfig, WeightsInput } from '../spec/stages.js';
import type { WeightsFormat } from '../spec/weights-formats.js';
import { STAGE_ENTRIES } from '../stages/index.js';
import { inferModel } from './architecture.js';
import { describeMisfit, fit, chosenFormat, isMisfit, type Fitting } from './convert.js';
import { canonicalNames, FORMAT_TITLES, type NamedShape } from './names.js';
import { hashFile, openWeightsFile, type WeightsFile } from './read-file.js';

/** A stage that starts from given weights. */
export type ConfigWithWeights = StageConfig & { weights: WeightsInput };

/**
 * The digest of a file of weights.
 *
 * @param weights With the digest that the file must have, `model.weights.sha256`; empty: any.
 * @param found The digest, if it is known; else the file is read.
 * @throws UsageError if the file is missing or has another digest.
 */
export function digestOfWeights(
  { file, sha256: expected }: Pick<WeightsInput, 'file' | 'sha256'>,
  found = hashFile(file),
): string {
  if (expected !== '' && found !== expected) {
    throw new UsageError(
      `${file} has the SHA-256 ${found}, not ${expected} as model.weights.sha256 requires; use the other file, or correct the key`,
    );
  }
  return found;
}

/**
 * Checks, without reading the values, that a file has the weights that a stage takes from it.
 *
 * @returns what is taken, as a sentence.
 * @throws UsageError with every tensor that is missing, unexpected or of another shape.
 */
export function checkGiven(config: ConfigWithWeights): string {
  const { format, fitting, wanted } = fitGiven(config);
  const { unused, resampled } = fitting;
  const parts = [
    `${config.weights.file}: ${wanted.length} tensors in the format of ${FORMAT_TITLES[format]}`,
    ...(resampled.length > 0 ? [`position tables resampled ${resampled.join(', ')}`] : []),
    ...(unused.length > 0 ? [`not used: ${groupsOf(unused).join(', ')}`] : []),
  ];
  return parts.join('; ');
}

/** The first parts of names: `head`, `decoder_blocks`. */
const groupsOf = (names: readonly string[]): string[] => [
  ...new Set(names.map((name) => /^(decoder\.)?[^.]+/.exec(name)![0])),
];

/**
 * Reads the weights of a stage.
 *
 * @throws UsageError if the file is not the one that was planned, or does not fit.
 */
export function readGiven(config: ConfigWithWeights): Values {
  digestOfWeights(config.weights);
  return fitGiven(config).fitting.read();
}

function fitGiven(config: ConfigWithWeights): { format: WeightsFormat; fitting: Fitting; wanted: NamedShape[] } {
  const { file: path, format: asked } = config.weights;
  const file = openWeightsFile(path);
  const format = chosenFormat(path, file.tensors, asked);
  const wanted = wantedOf(config, hasDecoder(file, format));
  const outcome = fit(format, file.tensors, wanted);
  if (!isMisfit(outcome)) return { format, fitting: outcome, wanted };
  throw new UsageError(
    `${path} (${FORMAT_TITLES[format]}) does not fit the model:\n${describeMisfit(outcome)}${hintFor(file, format, config)}`,
  );
}

const hasDecoder = ({ tensors }: WeightsFile, format: WeightsFormat): boolean =>
  [...canonicalNames(format, tensors).keys()].some((name) => /^(decoder\.)?decoder_pred\./.test(name));

/**
 * The tensors that a stage takes: the encoder, and for a pre-training also the decoder if the file has one. A
 * classifier with mean pooling does not have the encoder's last norm.
 */
function wantedOf(config: ConfigWithWeights, decoder: boolean): NamedShape[] {
  if (config.kind === 'pretrain') {
    return declarations(config.model, decoder ? pretrainPurpose(config) : { for: 'encoding' });
  }
  const withoutNorm = STAGE_ENTRIES[config.kind].trains === 'all weights' && config.model.pooling === 'mean';
  const purpose: Purpose = { for: 'encoding' };
  return declarations(config.model, purpose).filter(({ name }) => !(withoutNorm && name.startsWith('norm.')));
}

/** The keys of the spec whose values differ from what the shapes in the file say. */
function hintFor(file: WeightsFile, format: WeightsFormat, { model }: ConfigWithWeights): string {
  const found = inferModel(file, format);
  if (found === null) return '';
  const own: Record<string, unknown> = { ...model };
  const keys = ['patchSize', 'dim', 'depth', 'mlpRatio', 'classToken'] as const;
  const differing = keys.filter((key) => found[key] !== own[key]).map((key) => `${key}: ${String(found[key])}`);
  const bias =
    format !== 'vitmim' && 'decoder' in model && !model.decoder.embedBias ? ['decoder: { embedBias: true }'] : [];
  const hints = [...differing, ...bias];
  return hints.length === 0 ? '' : `\n  the file is of a model with { ${hints.join(', ')} }; set these keys of model`;
}
