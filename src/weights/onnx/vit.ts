/**
 * The Vision Transformer of `model/vit.ts` as an ONNX graph. The size of the batch is left open.
 *
 * With `half`, products of tokens are in float16, and so are softmax and GELU between them. Inputs and outputs, layer norms,
 * the sums of the residuals and the head of a classifier stay in float32, as in `model.precision: float16`.
 */
import { patchCount, type EncoderConfig } from '../../spec/model.js';
import { toForeign } from '../names.js';
import type { Tensor, TensorsByName } from '../tensors.js';
import { GraphBuilder, type FloatType, type Name } from './builder.js';
import { ELEMENT_TYPES, type Graph, type Value } from './model.js';

const EPSILON = 1e-6;

/** The input of every graph: [batch, 3, imageSize, imageSize], ImageNet-normalised. */
export const INPUT = 'pixel_values';

export interface VitGraphOptions {
  /** With a head: `logits`. Without: `last_hidden_state` and `pooled`. */
  kind: 'classifier' | 'encoder';
  half: boolean;
}

/**
 * @param weights All tensors of the encoder and, for a classifier, of its head.
 * @throws UsageError if a weight exceeds the range of float16.
 */
export function vitGraph(model: EncoderConfig, weights: TensorsByName, { kind, half }: VitGraphOptions): Graph {
  const vit = new VitBuilder(model, weights, half ? 'float16' : 'float32');
  const tokens = vit.encode();
  const outputs = kind === 'classifier' ? vit.classify(tokens) : vit.features(tokens);
  const image = [3, model.imageSize, model.imageSize];
  return vit.graph('vit', [{ name: INPUT, type: 'float32', shape: ['batch', ...image] }], outputs);
}

class VitBuilder extends GraphBuilder {
  readonly #model: EncoderConfig;
  readonly #weights: TensorsByName;
  readonly #products: FloatType;

  constructor(model: EncoderConfig, weights: TensorsByName, products: FloatType) {
    super();
    this.#model = model;
    this.#weights = weights;
    this.#products = products;
  }

  /** [batch, tokens (+1, first, with a class token), dim], without the last norm */
  encode(): Name {
    let x = this.#embed();
    for (let i = 0; i < this.#model.depth; i++) x = this.#block(`blocks.${i}`, x);
    return x;
  }

  /** `logits`: [batch, classes] */
  classify(tokens: Name): Value[] {
    const { pooling } = this.#model;
    const pooled =
      pooling === 'class-token'
        ? this.#norm('norm', this.#classToken(tokens))
        : this.#norm('fc_norm', this.#patchMean(tokens));
    this.#linear('head', pooled, 'float32', 'logits');
    const classes = this.#tensor('head.bias').shape[0]!;
    return [{ name: 'logits', type: 'float32', shape: ['batch', classes] }];
  }

  /** `last_hidden_state`: all normalised tokens; `pooled`: [batch, dim], the features that probes read */
  features(tokens: Name): Value[] {
    const { dim, pooling } = this.#model;
    const hidden = this.#norm('norm', tokens, 'last_hidden_state');
    if (pooling === 'class-token') this.#classToken(hidden, 'pooled');
    else this.#patchMean(hidden, 'pooled');
    return [
      { name: 'last_hidden_state', type: 'float32', shape: ['batch', tokensOf(this.#model), dim] },
      { name: 'pooled', type: 'float32', shape: ['batch', dim] },
    ];
  }

  /** Patches with their positions, after the class token. */
  #embed(): Name {
    const { classToken, dim, patchSize } = this.#model;
    const name = 'patch_embed.proj';
    const sides = { ints: [patchSize, patchSize] };
    const embedded = this.node(
      'Conv',
      name,
      [
        this.#as(this.#products, INPUT, 'pixels'),
        this.weights(`${name}.weight`, this.#inTimm(`${name}.weight`, `${name}.weight`), this.#products),
        this.#weight(`${name}.bias`, this.#products),
      ],
      { attributes: { kernel_shape: sides, strides: sides } },
    );
    const flat = this.node('Reshape', name, [embedded, this.integers(0, dim, patchCount(this.#model))]);
    const patches = this.#as('float32', this.#transpose(name, flat, [0, 2, 1]), name);
    const positions = this.#tensor('pos_embed');
    if (!classToken) return this.node('Add', 'pos_embed', [patches, this.weights('pos_embed', batched(positions))]);
    // A token of zeros before the patches becomes the class token when the table is added, which begins with it.
    const table = { shape: [positions.shape[0]! + 1, dim], data: new Float32Array(dim + positions.data.length) };
    table.data.set(this.#tensor('cls_token').data);
    table.data.set(positions.data, dim);
    const padded = this.node('Pad', 'cls_token', [patches, this.integers(0, 1, 0, 0, 0, 0)]);
    return this.node('Add', 'pos_embed', [padded, this.weights('cls_token+pos_embed', batched(table))]);
  }

  #block(name: string, x: Name): Name {
    const products = this.#products;
    const attended = this.#attention(`${name}.attn`, this.#as(products, this.#norm(`${name}.norm1`, x), name));
    const y = this.node('Add', name, [x, this.#as('float32', attended, name)]);
    const normed = this.#as(products, this.#norm(`${name}.norm2`, y), name);
    const hidden = this.node('Gelu', `${name}.mlp`, [this.#linear(`${name}.mlp.fc1`, normed, products)], {
      attributes: { approximate: { text: 'none' } },
    });
    const mlp = this.#linear(`${name}.mlp.fc2`, hidden, products);
    return this.node('Add', name, [y, this.#as('float32', mlp, name)]);
  }

  #attention(name: string, x: Name): Name {
    const { dim, heads, qkvBias } = this.#model;
    // Without a bias of k, the joint bias has zeros there.
    const biases = qkvBias === 'all' ? ['qkv.bias'] : ['q_bias', 'v_bias'];
    const bias = this.#inTimm(`${name}.qkv.bias`, ...biases.map((each) => `${name}.${each}`));
    const product = this.node('MatMul', `${name}.qkv`, [x, this.#weight(`${name}.qkv.weight`, this.#products)]);
    const qkv = this.node('Add', `${name}.qkv`, [product, this.weights(`${name}.qkv.bias`, bias, this.#products)]);
    const [q, k, v] = this.nodeWith('Split', name, [qkv], 3, {
      attributes: { axis: { int: -1 }, num_outputs: { int: 3 } },
    });
    const perHead = this.integers(0, tokensOf(this.#model), heads, dim / heads);
    const headsOf = (part: Name, permutation: number[]): Name =>
      this.#transpose(name, this.node('Reshape', name, [part, perHead]), permutation);
    // q is scaled before the product, which keeps the scores small in float16.
    const scale = { shape: [], data: Float32Array.of(1 / Math.sqrt(dim / heads)) };
    const scaled = this.node('Mul', name, [headsOf(q!, [0, 2, 1, 3]), this.weights('scale', scale, this.#products)]);
    const scores = this.node('MatMul', `${name}/scores`, [scaled, headsOf(k!, [0, 2, 3, 1])]);
    const shares = this.node('Softmax', name, [scores], { attributes: { axis: { int: -1 } } });
    const mixed = this.node('MatMul', `${name}/values`, [shares, headsOf(v!, [0, 2, 1, 3])]);
    const joined = this.node('Reshape', `${name}/joined`, [
      this.#transpose(`${name}/joined`, mixed, [0, 2, 1, 3]),
      this.integers(0, 0, dim),
    ]);
    return this.#linear(`${name}.proj`, joined, this.#products);
  }

  #linear(name: string, x: Name, type: FloatType, output?: string): Name {
    const product = this.node('MatMul', name, [x, this.#weight(`${name}.weight`, type)]);
    const inputs = [product, this.#weight(`${name}.bias`, type)];
    return this.node('Add', name, inputs, output === undefined ? {} : { output });
  }

  /** In float32, of float32. */
  #norm(name: string, x: Name, output?: string): Name {
    return this.node('LayerNormalization', name, [x, this.#weight(`${name}.weight`), this.#weight(`${name}.bias`)], {
      attributes: { axis: { int: -1 }, epsilon: { float: EPSILON } },
      ...(output !== undefined && { output }),
    });
  }

  #classToken(tokens: Name, output?: string): Name {
    const options = { attributes: { axis: { int: 1 } }, ...(output !== undefined && { output }) };
    return this.node('Gather', 'pooled', [tokens, this.integer(0)], options);
  }

  #patchMean(tokens: Name, output?: string): Name {
    const patches = this.#model.classToken ? this.#withoutClassToken(tokens) : tokens;
    return this.node('ReduceMean', 'pooled', [patches, this.integers(1)], {
      attributes: { keepdims: { int: 0 } },
      ...(output !== undefined && { output }),
    });
  }

  #withoutClassToken(tokens: Name): Name {
    const [first, end, axis] = [this.integers(1), this.integers(tokensOf(this.#model)), this.integers(1)];
    return this.node('Slice', 'pooled', [tokens, first, end, axis]);
  }

  #transpose(scope: string, x: Name, permutation: readonly number[]): Name {
    return this.node('Transpose', scope, [x], { attributes: { perm: { ints: permutation } } });
  }

  /** Casts a value, in graphs that have both types. */
  #as(type: FloatType, x: Name, scope: string): Name {
    if (this.#products === 'float32') return x;
    return this.node('Cast', scope, [x], { attributes: { to: { int: ELEMENT_TYPES[type] } } });
  }

  #tensor(name: string): Tensor {
    const tensor = this.#weights.get(name);
    if (tensor === undefined) throw new Error(`the model has no tensor ${name}`);
    return tensor;
  }

  /** A tensor in timm's layout, made of own ones. */
  #inTimm(name: string, ...own: readonly string[]): Tensor {
    return toForeign('timm', new Map(own.map((each) => [each, this.#tensor(each)]))).get(name)!;
  }

  /** A tensor as it is: matrices are [inputs, outputs], as `MatMul` needs them. */
  #weight(name: string, type: FloatType = 'float32'): Name {
    return this.weights(name, this.#tensor(name), type);
  }
}

const tokensOf = (model: EncoderConfig): number => patchCount(model) + (model.classToken ? 1 : 0);

const batched = ({ shape, data }: Tensor): Tensor => ({ shape: [1, ...shape], data });
