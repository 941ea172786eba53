/**
 * The names and layouts of weights elsewhere: in timm, in MAE's models and in Hugging Face transformers. Import, export
 * and the parity tests use this file, so that each fact about a format is written once.
 *
 * Each own tensor corresponds to one or several parts of foreign tensors. A part gives for each of its values the
 * value of the own tensor that it is. Export reads this map forwards, import backwards.
 */
import type { WeightsFormat } from '../spec/weights-formats.js';
import type { TensorsByName } from './tensors.js';

/** How a format is called in sentences. */
export const FORMAT_TITLES: Record<WeightsFormat, string> = {
  vitmim: 'vitmim',
  timm: 'timm',
  mae: "MAE's models",
  hf: 'Hugging Face transformers',
};

/** The values of a foreign tensor that no own tensor has. Export writes zeros there. */
export type UnmatchedValues =
  /** A bias of k changes no attention: q·b is the same for every key of a query, and softmax ignores a common term. */
  | 'ignored'
  /** The position of the class token. It is added to the token itself, which is the same. */
  | 'position of the class token'
  /** The model has nothing that could take another value. */
  | 'zero';

export interface ForeignPart {
  name: string;
  shape: readonly number[];
  /**
   * The index in the own tensor of the value at an index of the foreign tensor; −1: another tensor's value, or none.
   */
  own: (index: number) => number;
  /** Of the values with index −1. */
  rest: UnmatchedValues;
}

/** An own tensor, by its name and shape. */
export interface NamedShape {
  name: string;
  shape: readonly number[];
}

const same = (index: number): number => index;
const none = (): number => -1;

/**
 * The foreign tensors in which the values of an own tensor are.
 *
 * @param names All tensors of the own model.
 */
export function partsOf(format: WeightsFormat, tensor: NamedShape, names: ReadonlySet<string>): ForeignPart[] {
  switch (format) {
    case 'vitmim':
      return [{ ...tensor, own: same, rest: 'zero' }];
    case 'timm':
      return [timmPart(tensor, names)];
    case 'mae':
      return maeParts(tensor, names);
    case 'hf':
      return maeParts(tensor, names).flatMap(hfParts);
  }
}

/** timm: matrices [outputs, inputs], a joint bias of q, k and v, and a position for the class token. */
function timmPart({ name, shape }: NamedShape, names: ReadonlySet<string>): ForeignPart {
  const [first = 1, second = 1] = shape;
  if (name === 'patch_embed.proj.weight') {
    const side = Math.sqrt(first / 3);
    return { name, shape: [second, 3, side, side], own: patchIndex(side, second), rest: 'zero' };
  }
  if (name.endsWith('pos_embed')) {
    const before = names.has('cls_token') ? 1 : 0;
    return {
      name,
      shape: [1, first + before, second],
      own: (index) => Math.max(-1, index - before * second),
      rest: name === 'pos_embed' ? 'position of the class token' : 'zero',
    };
  }
  if (name.endsWith('_token')) return { name, shape: [1, 1, first], own: same, rest: 'zero' };
  const bias = /^(.*\.attn)\.(q|v)_bias$/.exec(name);
  if (bias !== null) {
    const begin = bias[2] === 'q' ? 0 : 2 * first;
    const own = (index: number): number => (index >= begin && index < begin + first ? index - begin : -1);
    return { name: `${bias[1]!}.qkv.bias`, shape: [3 * first], own, rest: 'ignored' };
  }
  if (shape.length !== 2) return { name, shape, own: same, rest: 'zero' };
  return {
    name,
    shape: [second, first],
    own: (index) => (index % first) * second + Math.floor(index / first),
    rest: 'zero',
  };
}

/** [dim, channel, row, column] → [(row, column, channel), dim] */
function patchIndex(side: number, dim: number): (index: number) => number {
  const area = side * side;
  return (index) => {
    const [pixel, channel, output] = [index % area, Math.floor(index / area) % 3, Math.floor(index / (3 * area))];
    return (3 * pixel + channel) * dim + output;
  };
}

/** MAE: as timm, with a decoder that always has a bias of its embedding and a mask token. */
function maeParts(tensor: NamedShape, names: ReadonlySet<string>): ForeignPart[] {
  const part = timmPart(tensor, names);
  if (tensor.name !== 'decoder_embed.weight') return [part];
  const dim = tensor.shape[1]!;
  const bias: ForeignPart = { name: 'decoder_embed.bias', shape: [dim], own: none, rest: 'zero' };
  const mask: ForeignPart = { name: 'mask_token', shape: [1, 1, dim], own: none, rest: 'ignored' };
  return [part, bias, mask].filter(({ name, own }) => own !== none || !names.has(name));
}

/** transformers: as MAE under other names, with q, k and v apart. */
function hfParts(part: ForeignPart): ForeignPart[] {
  const name = hfName(part.name);
  if (!name.includes('attn.qkv')) return [{ ...part, name }];
  const [rows, ...rest] = part.shape;
  const shape = [rows! / 3, ...rest];
  const length = shape.reduce((a, b) => a * b, 1);
  return ['query', 'key', 'value'].map((which, i) => ({
    ...part,
    name: name.replace('attn.qkv', `attention.attention.${which}`),
    shape,
    own: (index) => part.own(index + i * length),
  }));
}

const HF_NAMES: readonly (readonly [RegExp, string])[] = [
  [/^patch_embed\.proj\./, 'embeddings.patch_embeddings.projection.'],
  [/^pos_embed$/, 'embeddings.position_embeddings'],
  [/^cls_token$/, 'embeddings.cls_token'],
  [/^blocks\./, 'encoder.layer.'],
  [/^norm\./, 'layernorm.'],
  [/^head\./, 'classifier.'],
  [/^decoder_blocks\./, 'decoder.decoder_layers.'],
  [/^(mask_token|decoder_(?:embed|pos_embed|norm|pred)\b)/, 'decoder.$1'],
  [/\.norm1\./, '.layernorm_before.'],
  [/\.norm2\./, '.layernorm_after.'],
  [/\.attn\.proj\./, '.attention.output.dense.'],
  [/\.mlp\.fc1\./, '.intermediate.dense.'],
  [/\.mlp\.fc2\./, '.output.dense.'],
];

const hfName = (name: string): string => HF_NAMES.reduce((text, [pattern, to]) => text.replace(pattern, to), name);

/** Other names of the same tensors, by version and by the class of the model that wrote the file. */
const HF_SPELLINGS: readonly (readonly [RegExp, string])[] = [
  [/^vit\./, ''],
  // transformers 5 writes the decoder of ViTMAE so.
  [/^decoder\.decoder_encoder\.layer\./, 'decoder.decoder_layers.'],
  // The state dict of transformers 5; its `save_pretrained` writes the names of transformers 4.
  [/^layers\./, 'encoder.layer.'],
  [/\.attention\.([qkv])_proj\./, '.attention.attention.$1.'],
  [/\.attention\.q\./, '.attention.query.'],
  [/\.attention\.k\./, '.attention.key.'],
  [/\.attention\.v\./, '.attention.value.'],
  [/\.attention\.o_proj\./, '.attention.output.dense.'],
  [/\.mlp\.fc1\./, '.intermediate.dense.'],
  [/\.mlp\.fc2\./, '.output.dense.'],
];

/** The tensors of a file under the names that {@link partsOf} gives. */
export function canonicalNames<T>(format: WeightsFormat, tensors: ReadonlyMap<string, T>): Map<string, T> {
  const spellings = format === 'hf' ? HF_SPELLINGS : [];
  return new Map(
    [...tensors].map(([name, tensor]) => [
      spellings.reduce((text, [found, to]) => text.replace(found, to), name),
      tensor,
    ]),
  );
}

/** The group of a checkpoint with averaged weights (`training/optimizers/ema.ts`). */
export const AVERAGE = 'average';

/** The tensors of a file. If a checkpoint has averaged weights, they replace the trained weights. */
export function averagesOf<T>(format: WeightsFormat, tensors: ReadonlyMap<string, T>): ReadonlyMap<string, T> {
  if (format !== 'vitmim') return tensors;
  return new Map([...tensors].map(([name, tensor]) => [name, tensors.get(`${AVERAGE}.${name}`) ?? tensor]));
}

/** The format of a file by its tensors; null: none of those known here. */
export function detectFormat(
  tensors: ReadonlyMap<string, { readonly shape: readonly number[] }>,
): WeightsFormat | null {
  const any = (pattern: RegExp): boolean => [...tensors.keys()].some((name) => pattern.test(name));
  if (any(/^(vit\.)?embeddings\.patch_embeddings\./)) return 'hf';
  const embedding = tensors.get('patch_embed.proj.weight');
  if (embedding === undefined) return null;
  // Elsewhere it is a convolution.
  if (embedding.shape.length === 2) return 'vitmim';
  return any(/^decoder_/) ? 'mae' : 'timm';
}

/** Tensors that other models of a format have and that no encoder needs: classifiers, poolers, optimisers. */
const BESIDE: Record<WeightsFormat, RegExp> = {
  vitmim: /^(optimizer|average|progress|head|fc_norm|norm|mask_token|decoder_[a-z_]+)\b/,
  timm: /^(head|fc_norm|norm)\./,
  mae: /^(head\.|fc_norm\.|norm\.|mask_token$|decoder_)/,
  hf: /^(classifier\.|pooler\.|layernorm\.|embeddings\.mask_token$|decoder\.)/,
};

/** Whether a tensor that is not used is one that such files have beside the encoder. */
export const isBeside = (format: WeightsFormat, name: string): boolean => BESIDE[format].test(name);

/** Own tensors in another format; what has no value there is zero. */
export function toForeign(
  format: WeightsFormat,
  values: TensorsByName,
): Map<string, { shape: number[]; data: Float32Array }> {
  const names = new Set(values.keys());
  const foreign = new Map<string, { shape: number[]; data: Float32Array }>();
  for (const [name, { shape, data }] of values) {
    for (const part of partsOf(format, { name, shape }, names)) {
      const length = part.shape.reduce((a, b) => a * b, 1);
      const target = foreign.get(part.name) ?? { shape: [...part.shape], data: new Float32Array(length) };
      foreign.set(part.name, target);
      for (let i = 0; i < length; i++) {
        const own = part.own(i);
        if (own >= 0) target.data[i] = data[own]!;
      }
    }
  }
  return foreign;
}
