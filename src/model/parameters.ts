/**
 * The parameters of a model: names, shapes and initial values. Names follow timm and MAE. Matrices are stored as
 * [inputs, outputs], ready for multiplication from the right; timm stores them transposed.
 */
import * as tf from '@tensorflow/tfjs';
import { stream, type Random } from '../common/random.js';
import { patchCount, type EncoderConfig, type ModelConfig } from '../spec/model.js';
import { fanIn, INIT_RULES } from './init.js';
import { positionTable } from './positions.js';

/** Trained values by name. */
export type Parameters = ReadonlyMap<string, tf.Variable>;

/** Plain values by name, as checkpoints contain them. */
export type Values = ReadonlyMap<string, { shape: number[]; data: Float32Array }>;

/** Shapes of parameters by name. */
export type Shapes = ReadonlyMap<string, readonly number[]>;

type Kind =
  // Depends on the model's init (`init.ts`):
  | 'weights'
  | 'embedding'
  | 'token' // mask and class tokens
  | 'head' // as a token × 0.001: a new classifier begins near 0 (PAPER.md §7)
  // The same for every init:
  | 'fan-in' // PyTorch's default of a bias: U(±1/√inputs)
  | 'zeros'
  | 'ones'
  | 'positions'; // fixed, never trained

interface Declaration {
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
  const { dim, depth } = config.decoder;
  return [
    { name: 'decoder_embed.weight', shape: [config.dim, dim], kind: 'embedding' },
    // Without masking, training would never change it.
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

/** The purpose of a set of parameters. Mean pooling has its own norm instead of the encoder's (PAPER.md §7). */
export type Purpose = { for: 'encoding' } | Pretraining | { for: 'classification'; classes: number };

interface Pretraining {
  for: 'pretraining';
  masked: boolean;
  /** Values of a predicted token; by default those of a patch. */
  outputs?: number;
}

function declarations(config: EncoderConfig | ModelConfig, purpose: Purpose): Declaration[] {
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
  }
}

/** The shapes of all parameters of a model. */
export function parameterShapes(config: EncoderConfig | ModelConfig, purpose: Purpose): Shapes {
  return new Map(declarations(config, purpose).map(({ name, shape }) => [name, shape]));
}

/** Whether training changes a parameter: position tables are fixed. */
export const isTrainable = (name: string): boolean => !name.endsWith('pos_embed');

/**
 * Initial values of a model, drawn by name: a parameter's values do not depend on the model's other parameters.
 *
 * @param seed The job's root seed.
 */
export function initialValues(config: EncoderConfig | ModelConfig, purpose: Purpose, seed: number): Values {
  return new Map(
    declarations(config, purpose).map((declaration) => {
      const { name, shape } = declaration;
      const data = draw(declaration, config, stream(seed, 'init', name));
      return [name, { shape, data }];
    }),
  );
}

function draw({ shape, kind, inputs }: Declaration, config: EncoderConfig, random: Random): Float32Array {
  const fill = (value: () => number): Float32Array => {
    const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
    for (let i = 0; i < values.length; i++) values[i] = value();
    return values;
  };
  const [rows, columns] = [shape[0]!, shape[1]!];
  const rule = INIT_RULES[config.init];
  switch (kind) {
    case 'weights':
    case 'embedding':
      return fill(() => rule[kind](random, rows, columns));
    case 'token':
      return fill(() => rule.token(random, rows, columns));
    case 'head':
      return fill(() => 0.001 * rule.token(random, rows, columns));
    case 'zeros':
      return fill(() => 0);
    case 'ones':
      return fill(() => 1);
    case 'fan-in':
      return fill(() => fanIn(random, inputs!));
    case 'positions':
      return positionTable(config.positions, Math.sqrt(patchCount(config)), columns);
  }
}

/** Uploads values as variables; position tables are not trainable. Dispose of them with {@link disposeParameters}. */
export function toParameters(values: Values): Parameters {
  return new Map([...values].map(([name, value]) => [name, toVariable(value, isTrainable(name))]));
}

/** A variable with a copy of the values. */
export function toVariable({ shape, data }: { shape: number[]; data: Float32Array }, trainable: boolean): tf.Variable {
  const initial = tf.tensor(data.slice(), shape, 'float32'); // some backends keep a reference to the array
  const variable = tf.variable(initial, trainable);
  initial.dispose(); // the variable has its own reference to the data; the tensor would leak
  return variable;
}

/** Downloads parameters. */
export async function toValues(parameters: Parameters): Promise<Values> {
  const entries = [...parameters].map(async ([name, variable]) => {
    // A copy: the WebAssembly and plain backends return a view of memory that training later overwrites.
    return [name, { shape: variable.shape, data: Float32Array.from(await variable.data()) }] as const;
  });
  return new Map(await Promise.all(entries));
}

export function disposeParameters(parameters: Parameters): void {
  for (const variable of parameters.values()) variable.dispose();
}

/**
 * Takes from `trained` every value whose name is in `fresh`, for example the encoder of a checkpoint for a classifier.
 *
 * @throws Error when a shared name has another shape, or when an encoder value is missing or an encoder block is extra:
 * no weight may silently stay random or be left out (PAPER.md §8, bug 5).
 */
export function transfer(trained: Values, fresh: Values): Values {
  const deeper = [...trained.keys()].find((name) => name.startsWith('blocks.') && !fresh.has(name));
  if (deeper !== undefined) throw new Error(`the checkpoint has ${deeper}, the model has no such block`);
  return new Map(
    [...fresh].map(([name, value]) => {
      const found = trained.get(name);
      if (!found) {
        if (/^(patch_embed|pos_embed|cls_token|blocks|norm)/.test(name))
          throw new Error(`the checkpoint has no ${name}`);
        return [name, value];
      }
      if (found.shape.join() !== value.shape.join()) {
        throw new Error(`the checkpoint's ${name} has shape [${found.shape.join()}], not [${value.shape.join()}]`);
      }
      return [name, found];
    }),
  );
}
