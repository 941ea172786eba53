/**
 * Properties for any weights: which tokens the encoder sees, and the effects of token order, class token and dropping.
 */
import * as tf from '@tensorflow/tfjs';
import { disposeParameters, initialValues, toParameters, type Parameters } from '../../src/model/parameters.js';
import { classify, decode, encode, features, predict, type DropPath } from '../../src/model/vit.js';
import { patchify, tokenSelection, tokenSquaredError, type TokenSelection } from '../../src/ops/index.js';
import type { ModelConfig } from '../../src/spec/model.js';
import { clipByGlobalNorm, meanGradients } from '../../src/training/gradients.js';
import { normals, relativeError } from '../support/arrays.js';
import { TINY } from './support.js';

const CLASS_TOKEN: ModelConfig = {
  ...TINY,
  classToken: true,
  pooling: 'class-token',
  qkvBias: 'all',
  positions: 'sincos-2d',
};
const VARIANTS = [
  { variant: 'mean pooling', config: TINY },
  { variant: 'class token', config: CLASS_TOKEN },
];
const CLASSES = 3;

/** Different for each image, and not in the order of the grid. */
const KEPT = [Int32Array.of(5, 0, 15, 8), Int32Array.of(2, 14, 3, 11)];

/** Weights without values of 0 or 1, which would hide mistakes. */
function randomParameters(config: ModelConfig): Parameters {
  const declared = new Map([
    ...initialValues(config, { for: 'pretraining', masked: true }, 0),
    ...initialValues(config, { for: 'classification', classes: CLASSES }, 0),
  ]);
  const random = [...declared].map(([name, { shape, data }]) => {
    const values = name.endsWith('pos_embed') ? data : Float32Array.from(normals(data.length, name, 0.3));
    return [name, { shape, data: values }] as const;
  });
  return toParameters(new Map(random));
}

it('has blocks whose hidden layer is as wide as the nearest whole number to dim · mlpRatio', () => {
  const declared = initialValues({ ...TINY, mlpRatio: 2.7 }, { for: 'pretraining', masked: true }, 0);
  expect(declared.get('blocks.0.mlp.fc1.weight')!.shape).toEqual([8, 22]); // of 21.6
});

/** Two images; the pixels of some tokens may be replaced. */
function twoImages(replaced: (image: number, token: number) => boolean = () => false): tf.Tensor4D {
  const pixels = normals(2 * 16 * 16 * 3, 'pixels');
  const others = normals(2 * 16 * 16 * 3, 'other pixels');
  const mixed = pixels.map((value, i) => {
    const [image, row, column] = [Math.floor(i / 768), Math.floor((i % 768) / 48), Math.floor((i % 48) / 3)];
    return replaced(image, Math.floor(row / 4) * 4 + Math.floor(column / 4)) ? others[i]! : value;
  });
  return tf.tensor4d(Float32Array.from(mixed), [2, 16, 16, 3]);
}

function values(make: () => tf.Tensor): Float32Array {
  return tf.tidy(() => make().dataSync<'float32'>().slice());
}

const kept = (): TokenSelection => tokenSelection(KEPT, 16);

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe.each(VARIANTS)('with $variant', ({ config }) => {
  const extra = config.classToken ? 1 : 0;
  let parameters: Parameters;
  beforeAll(() => {
    parameters = randomParameters(config);
  });
  afterAll(() => {
    disposeParameters(parameters);
  });

  it('has the documented shapes', () => {
    tf.tidy(() => {
      const images = twoImages();
      expect(encode(parameters, config, images).shape).toEqual([2, 16 + extra, 8]);
      expect(encode(parameters, config, images, kept()).shape).toEqual([2, 4 + extra, 8]);
      expect(predict(parameters, config, images, kept()).shape).toEqual([2, 16, 48]);
      expect(predict(parameters, config, images, null).shape).toEqual([2, 16, 48]);
      expect(features(parameters, config, images).shape).toEqual([2, 8]);
      expect(classify(parameters, config, images).shape).toEqual([2, CLASSES]);
    });
  });

  it('uses the class token as its features, or the mean of its tokens', () => {
    const encoded = values(() => encode(parameters, config, twoImages()));
    const found = values(() => features(parameters, config, twoImages()));
    for (let i = 0; i < 16; i++) {
      const [image, j] = [Math.floor(i / 8), i % 8];
      const channel = Array.from(
        { length: 16 + extra },
        (_, token) => encoded[(image * (16 + extra) + token) * 8 + j]!,
      );
      const expected = config.classToken ? channel[0]! : channel.reduce((a, b) => a + b) / 16;
      expect(found[i]).toBeCloseTo(expected, 5);
    }
  });

  it('classifies by its class token, or by the mean of its tokens with a separate norm', () => {
    const scores = (of: Parameters) => values(() => classify(of, config, twoImages()));
    const without = (name: string): Parameters => {
      const zeroed = new Map(parameters);
      if (parameters.has(name)) zeroed.set(name, tf.variable(tf.zerosLike(parameters.get(name)!)));
      return zeroed;
    };
    const changed = ['norm.weight', 'fc_norm.weight'].filter(
      (name) => relativeError(scores(without(name)), scores(parameters)) > 0.01,
    );
    expect(changed).toEqual([config.classToken ? 'norm.weight' : 'fc_norm.weight']);
  });

  it('never sees the pixels of removed patches', () => {
    const isRemoved = (image: number, token: number): boolean => !KEPT[image]!.includes(token);
    const seen = values(() => encode(parameters, config, twoImages(), kept()));
    expect(values(() => encode(parameters, config, twoImages(isRemoved), kept()))).toEqual(seen);
    const predicted = values(() => predict(parameters, config, twoImages(), kept()));
    expect(values(() => predict(parameters, config, twoImages(isRemoved), kept()))).toEqual(predicted);
  });

  it('sees every kept patch, in every token', () => {
    const seen = values(() => encode(parameters, config, twoImages(), kept()));
    const width = seen.length / 2;
    for (const token of KEPT[0]!) {
      const changed = values(() =>
        encode(
          parameters,
          config,
          twoImages((i, t) => i === 0 && t === token),
          kept(),
        ),
      );
      for (let at = 0; at < width; at += 8) {
        expect(changed.subarray(at, at + 8)).not.toEqual(seen.subarray(at, at + 8));
      }
      expect(changed.subarray(width)).toEqual(seen.subarray(width)); // nothing of the other image
    }
  });

  it('encodes kept tokens in the order given, and predicts the same in any order', () => {
    const turned = (): TokenSelection => tokenSelection([Int32Array.of(8, 5, 0, 15), KEPT[1]!], 16);
    const tokensOf = (encoded: Float32Array): Float32Array[] =>
      Array.from({ length: 4 }, (_, i) => encoded.slice((i + extra) * 8, (i + extra + 1) * 8));
    const [a, b, c, d] = tokensOf(values(() => encode(parameters, config, twoImages(), kept())));
    const moved = tokensOf(values(() => encode(parameters, config, twoImages(), turned())));
    [d!, a!, b!, c!].forEach((token, i) => {
      expect(relativeError(moved[i]!, token)).toBeLessThan(1e-5);
    });
    const predicted = values(() => predict(parameters, config, twoImages(), kept()));
    expect(
      relativeError(
        values(() => predict(parameters, config, twoImages(), turned())),
        predicted,
      ),
    ).toBeLessThan(1e-5);
  });

  it('predicts from a selection of all tokens what it predicts without one', () => {
    const all = Int32Array.from({ length: 16 }, (_, i) => i);
    const predicted = values(() => predict(parameters, config, twoImages(), tokenSelection([all, all], 16)));
    expect(predicted).toEqual(values(() => predict(parameters, config, twoImages(), null)));
  });

  it('distinguishes equal patches by their positions', () => {
    // Both images are one patch repeated: without positions all their tokens would be the same.
    const patch = normals(48, 'patch');
    const tiled = (): tf.Tensor4D => {
      const pixel = (i: number): number =>
        patch[(Math.floor((i % 768) / 48) % 4) * 12 + (Math.floor((i % 48) / 3) % 4) * 3 + (i % 3)]!;
      return tf.tensor4d(
        Float32Array.from({ length: 2 * 768 }, (_, i) => pixel(i)),
        [2, 16, 16, 3],
      );
    };
    const tokens = values(() => patchify(tiled(), 4));
    expect(tokens.subarray(0, 48)).toEqual(tokens.subarray(48, 96));
    const encoded = values(() => encode(parameters, config, tiled()));
    const rows = Array.from({ length: 16 }, (_, i) => encoded.subarray((i + extra) * 8, (i + extra + 1) * 8).join());
    expect(new Set(rows).size).toBe(16);
  });

  describe('dropping paths', () => {
    const factors = (of: (branch: number, image: number) => number): DropPath =>
      Array.from({ length: 2 * config.depth }, (_, branch) => tf.tensor1d([of(branch, 0), of(branch, 1)]));

    it('changes nothing if all factors are 1', () => {
      const kinds: DropPath[] = [factors(() => 1), Array.from({ length: 2 * config.depth }, () => null)];
      for (const dropPath of kinds) {
        const dropped = values(() => encode(parameters, config, twoImages(), kept(), dropPath));
        expect(dropped).toEqual(values(() => encode(parameters, config, twoImages(), kept())));
      }
      tf.dispose(kinds[0] as tf.Tensor[]);
    });

    it('skips all blocks if all factors are 0', () => {
      const none = factors(() => 0);
      const dropped = values(() => encode(parameters, config, twoImages(), null, none));
      expect(dropped).toEqual(values(() => encode(parameters, { ...config, depth: 0 }, twoImages())));
      tf.dispose(none as tf.Tensor[]);
    });

    it.each([0, 1, 2, 3])('drops branch %s of one image and not of the other', (branch) => {
      const one = factors((b, image) => (b === branch && image === 0 ? 0 : 1));
      const whole = values(() => classify(parameters, config, twoImages()));
      const dropped = values(() => classify(parameters, config, twoImages(), one));
      expect(dropped.subarray(0, CLASSES)).not.toEqual(whole.subarray(0, CLASSES));
      expect(dropped.subarray(CLASSES)).toEqual(whole.subarray(CLASSES));
      tf.dispose(one as tf.Tensor[]);
    });
  });

  it('keeps the number of tensors constant from step to step', () => {
    const images = twoImages();
    const targets = tf.tidy(() => patchify(images, 4));
    const selection = kept();
    const trained = [...parameters].filter(([name]) => !/pos_embed|fc_norm|head/.test(name)).map(([, value]) => value);
    const step = (): void => {
      tf.tidy(() => {
        const { gradients } = meanGradients(
          [images],
          (part) => tokenSquaredError(predict(parameters, config, part, selection), targets, selection.removed),
          trained,
        );
        clipByGlobalNorm(gradients, 1);
        classify(parameters, config, images);
        features(parameters, config, images);
      });
    };
    step();
    const before = tf.memory().numTensors;
    step();
    step();
    expect(tf.memory().numTensors).toBe(before);
    tf.dispose([images, targets, selection.rows, selection.places, selection.removed]);
  });
});

describe('the pooling', () => {
  it('takes the class token, or the mean of only the patch tokens', () => {
    const meanOfPatches: ModelConfig = { ...CLASS_TOKEN, pooling: 'mean' };
    for (const config of [...VARIANTS.map(({ config }) => config), meanOfPatches]) {
      const parameters = randomParameters(config);
      const encoded = values(() => encode(parameters, config, twoImages()));
      const pooled = values(() => features(parameters, config, twoImages()));
      const mean = (j: number): number =>
        Array.from({ length: 16 }, (_, t) => encoded[(t + (config.classToken ? 1 : 0)) * 8 + j]!).reduce(
          (a, b) => a + b,
        ) / 16;
      const expected =
        config.pooling === 'class-token' ? encoded.subarray(0, 8) : Array.from({ length: 8 }, (_, j) => mean(j));
      expect(relativeError(pooled.subarray(0, 8), expected)).toBeLessThan(1e-6);
      disposeParameters(parameters);
    }
  });
});

describe('the decoder', () => {
  it('sees the class token, and predicts nothing at its position', () => {
    const parameters = randomParameters(CLASS_TOKEN);
    const decoded = (first: number): Float32Array =>
      values(() => {
        const token = tf.fill<tf.Rank.R3>([2, 1, 8], first);
        const rest = tf.tensor3d(Float32Array.from(normals(2 * 4 * 8, 'encoded')), [2, 4, 8]);
        return decode(parameters, CLASS_TOKEN, tf.concat([token, rest], 1), kept());
      });
    expect(decoded(1)).not.toEqual(decoded(-3));
    expect(decoded(1)).toHaveLength(2 * 16 * 48);
    disposeParameters(parameters);
  });

  it('puts the mask token in every removed position and nowhere else', () => {
    const parameters = randomParameters(TINY);
    const config: ModelConfig = { ...TINY, decoder: { ...TINY.decoder, depth: 0 } }; // no block mixes the tokens
    const predicted = (): Float32Array => values(() => predict(parameters, config, twoImages(), kept()));
    const before = predicted();
    tf.tidy(() => {
      parameters.get('mask_token')!.assign(tf.tensor1d([2, -1, 0, 1]));
    });
    const after = predicted();
    for (let row = 0; row < 32; row++) {
      const same = before.subarray(row * 48, (row + 1) * 48).every((value, i) => value === after[row * 48 + i]);
      expect([row, same]).toEqual([row, KEPT[Math.floor(row / 16)]!.includes(row % 16)]);
    }
    disposeParameters(parameters);
  });
});

describe('the bias of k', () => {
  it('has no effect, so that a model without one computes the same', () => {
    const all = randomParameters({ ...TINY, qkvBias: 'all' });
    const qv = new Map(all);
    tf.tidy(() => {
      for (const name of ['blocks.0', 'blocks.1', 'decoder_blocks.0']) {
        const bias = all.get(`${name}.attn.qkv.bias`)! as tf.Tensor as tf.Tensor1D;
        const dim = bias.shape[0] / 3;
        qv.delete(`${name}.attn.qkv.bias`);
        qv.set(`${name}.attn.q_bias`, tf.variable(tf.slice(bias, 0, dim)));
        qv.set(`${name}.attn.v_bias`, tf.variable(tf.slice(bias, 2 * dim, dim)));
      }
    });
    const without = values(() => predict(qv, TINY, twoImages(), kept()));
    const withAll = values(() => predict(all, { ...TINY, qkvBias: 'all' }, twoImages(), kept()));
    expect(relativeError(without, withAll)).toBeLessThan(1e-5);
    disposeParameters(new Map([...all, ...qv]));
  });
});

describe('missing parameters', () => {
  it('are named', () => {
    const parameters = new Map(randomParameters(TINY));
    const norm = parameters.get('blocks.1.norm2.weight')!;
    parameters.delete('blocks.1.norm2.weight');
    expect(() => tf.tidy(() => encode(parameters, TINY, twoImages()))).toThrow('no parameter blocks.1.norm2.weight');
    norm.dispose();
    disposeParameters(parameters);
  });
});
