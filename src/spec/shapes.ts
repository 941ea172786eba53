/**
 * Which parameters a model has: names, shapes and how each begins. Names follow timm and MAE; matrices are stored
 * [inputs, outputs], ready to be multiplied from the right (timm's transposed). Loads no tensor library.
 */
import { sum } from '../common/sums.js';
import { patchCount, type EncoderConfig, type ModelConfig } from './model.js';
import type { PretrainConfig } from './stages.js';
import { targetWidth } from './task.js';

/** Shapes of parameters by name. */
export type Shapes = ReadonlyMap<string, readonly number[]>;

export type Kind =
  // As the initialisation in `init.ts` does:
  | 'weights'
  | 'embedding'
  | 'token' // mask and class tokens
  | 'head' // as a token × 0.001: a new classifier begins near 0 (PAPER.md §7)
  // Alike for every init:
  | 'fan-in' // PyTorch's default of a bias: U(±1/√inputs)
  | 'zeros'
  | 'ones'
  | 'positions'; // fixed, never trained

export interface Declaration {
  name: string;
  shape: number[];
  kind: Kind;
  /** Number of inputs of the layer that a `fan-in` bias belongs to. */
  inputs?: number;
}

function linear(name: string, inputs: number, outputs: number): Declaration[] {
  return [
    { name: `${name}.weight`, shape: [inputs, outputs], kind: 'weights' },
    { name: `${name}.bias`, shape: [outputs], kind: 'zeros' },
  ];
}

function norm(name: string, dim: number): Declaration[] {
  return [
    { name: `${name}.weight`, shape: [dim], kind: 'ones' },
    { name: `${name}.bias`, shape: [dim], kind: 'zeros' },
  ];
}

function block(name: string, dim: number, { mlpRatio, qkvBias }: EncoderConfig): Declaration[] {
  const hidden = Math.round(dim * mlpRatio);
  const biases = qkvBias === 'all' ? ['qkv.bias'] : ['q_bias', 'v_bias'];
  return [
    ...norm(`${name}.norm1`, dim),
    { name: `${name}.attn.qkv.weight`, shape: [dim, 3 * dim], kind: 'weights' },
    ...biases.map((bias): Declaration => {
      return { name: `${name}.attn.${bias}`, shape: [bias === 'qkv.bias' ? 3 * dim : dim], kind: 'zeros' };
    }),
    ...linear(`${name}.attn.proj`, dim, dim),
    ...norm(`${name}.norm2`, dim),
    ...linear(`${name}.mlp.fc1`, dim, hidden),
    ...linear(`${name}.mlp.fc2`, hidden, dim),
  ];
}

const blocks = (prefix: string, depth: number, dim: number, config: EncoderConfig): Declaration[] =>
  Array.from({ length: depth }, (_, i) => block(`${prefix}.${i}`, dim, config)).flat();

/** Values in a patch: patchSize² pixels of 3 channels. */
export const patchValues = ({ patchSize }: Pick<EncoderConfig, 'patchSize'>): number => 3 * patchSize ** 2;

const classToken = ({ dim }: EncoderConfig): Declaration => ({ name: 'cls_token', shape: [dim], kind: 'token' });

function encoderDeclarations(config: EncoderConfig): Declaration[] {
  return [
    { name: 'patch_embed.proj.weight', shape: [patchValues(config), config.dim], kind: 'embedding' },
    { name: 'patch_embed.proj.bias', shape: [config.dim], kind: 'fan-in', inputs: patchValues(config) },
    { name: 'pos_embed', shape: [patchCount(config), config.dim], kind: 'positions' },
    ...(config.classToken ? [classToken(config)] : []),
    ...blocks('blocks', config.depth, config.dim, config),
    ...norm('norm', config.dim),
  ];
}

function decoderDeclarations(
  config: ModelConfig,
  { masked, outputs = patchValues(config) }: Pretraining,
): Declaration[] {
  const { dim, depth, embedBias } = config.decoder;
  return [
    { name: 'decoder_embed.weight', shape: [config.dim, dim], kind: 'embedding' },
    ...(embedBias ? [{ name: 'decoder_embed.bias', shape: [dim], kind: 'zeros' } satisfies Declaration] : []),
    // Without masking nothing would ever train it.
    ...(masked ? [{ name: 'mask_token', shape: [dim], kind: 'token' } satisfies Declaration] : []),
    { name: 'decoder_pos_embed', shape: [patchCount(config), dim], kind: 'positions' },
    ...blocks('decoder_blocks', depth, dim, config),
    ...norm('decoder_norm', dim),
    ...linear('decoder_pred', dim, outputs),
  ];
}

function headDeclarations(config: EncoderConfig, classes: number): Declaration[] {
  return [
    ...(config.pooling === 'mean' ? norm('fc_norm', config.dim) : []),
    { name: 'head.weight', shape: [config.dim, classes], kind: 'head' },
    { name: 'head.bias', shape: [classes], kind: 'zeros' },
  ];
}

/** A batch norm of the tokens, and a linear layer for each of them. */
function segmentationHead({ dim }: EncoderConfig, classes: number): Declaration[] {
  return [
    ...norm('segment_norm', dim),
    { name: 'segment_norm.running_mean', shape: [dim], kind: 'zeros' },
    { name: 'segment_norm.running_var', shape: [dim], kind: 'ones' },
    { name: 'segment_head.weight', shape: [dim, classes], kind: 'token' },
    { name: 'segment_head.bias', shape: [classes], kind: 'zeros' },
  ];
}

/**
 * The purpose of a set of parameters. Mean pooling has its own norm, and drops the norm of the encoder (PAPER.md §7).
 */
export type Purpose =
  | { for: 'encoding' }
  | Pretraining
  | { for: 'classification'; classes: number }
  /** `head`: without the encoder, which is frozen and belongs to the pre-training. */
  | { for: 'segmentation'; classes: number; train: 'head' | 'all' };

interface Pretraining {
  for: 'pretraining';
  masked: boolean;
  /** Values of a predicted token; by default those of a patch. */
  outputs?: number;
}

/** Every parameter of a model, in the order of its layers. */
export function declarations(config: EncoderConfig | ModelConfig, purpose: Purpose): Declaration[] {
  const encoder = encoderDeclarations(config);
  switch (purpose.for) {
    case 'encoding':
      return encoder;
    case 'pretraining':
      return [...encoder, ...decoderDeclarations(config as ModelConfig, purpose)];
    case 'classification':
      return [
        ...encoder.filter(({ name }) => config.pooling !== 'mean' || !name.startsWith('norm.')),
        ...headDeclarations(config, purpose.classes),
      ];
    case 'segmentation':
      return [...(purpose.train === 'all' ? encoder : []), ...segmentationHead(config, purpose.classes)];
  }
}

/** The shapes of all parameters of a model. */
export function parameterShapes(config: EncoderConfig | ModelConfig, purpose: Purpose): Shapes {
  return new Map(declarations(config, purpose).map(({ name, shape }) => [name, shape]));
}

/** Whether gradients change a parameter: position tables are fixed, and running statistics follow the batches. */
export const isTrainable = (name: string): boolean => !/(pos_embed|\.running_(mean|var))$/.test(name);

/** The purpose of the parameters of a pre-training. */
export const pretrainPurpose = ({ model, task }: Pick<PretrainConfig, 'model' | 'task'>) =>
  ({ for: 'pretraining', masked: task.maskRatio > 0, outputs: targetWidth(task.target, model.patchSize) }) as const;

/** The shapes of all weights of a pre-training. */
export const pretrainShapes = (config: Pick<PretrainConfig, 'model' | 'task'>): Shapes =>
  parameterShapes(config.model, pretrainPurpose(config));

/** Values of a tensor. */
const sizeOf = (shape: readonly number[]): number => shape.reduce((product, side) => product * side, 1);

/**
 * Bytes of the tensors of a checkpoint: float32 weights, the groups of the optimisers with a tensor for each weight
 * that is trained, and two sums (`training/state.ts`). The header is some kilobytes more.
 *
 * @param groups Number of groups: 2 of AdamW, 1 more of averaged weights.
 */
export function checkpointBytes(shapes: Shapes, groups: number): number {
  const trained = new Map([...shapes].filter(([name]) => isTrainable(name)));
  return weightBytes(shapes) + groups * weightBytes(trained) + 4 * 2;
}

/** Bytes of the weights only. */
export const weightBytes = (shapes: Shapes): number => 4 * sum([...shapes.values()].map(sizeOf));
