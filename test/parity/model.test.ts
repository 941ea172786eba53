/** The model against timm and PyTorch on every device of this machine. model.py writes the fixtures. */
import * as tf from '@tensorflow/tfjs';
import type { Device } from '../../src/backends/device.js';
import { openDevice } from '../../src/backends/open.js';
import { disposeParameters, initialValues, toParameters, type Parameters } from '../../src/model/parameters.js';
import { declarations, type Purpose } from '../../src/spec/shapes.js';
import { classify, encode, features, predict, type DropPath } from '../../src/model/vit.js';
import { tokenSelection, tokenSquaredError, type TokenSelection } from '../../src/ops/index.js';
import type { EncoderConfig, ModelConfig } from '../../src/spec/model.js';
import { meanGradients } from '../../src/training/gradients.js';
import { fit, fromForeign } from '../../src/weights/convert.js';
import { stored } from '../../src/weights/tensors.js';
import { relativeError } from '../support/arrays.js';
import { availableDevices } from '../support/devices.js';
import { readFixture, unpack, unpackValues, type PackedTensor } from './fixture.js';

interface TimmFixture {
  config: EncoderConfig;
  classes: number;
  weights: Record<string, PackedTensor>;
  images: PackedTensor;
  encoded: PackedTensor;
  features: PackedTensor;
  logits: PackedTensor;
}

interface PretrainingFixture {
  config: ModelConfig;
  weights: Record<string, PackedTensor>;
  images: PackedTensor;
  /** The kept tokens of each image in the order of the encoder's input; null keeps all. */
  kept: number[][] | null;
  dropPath: (PackedTensor | null)[];
  prediction: PackedTensor;
  targets: PackedTensor;
  loss: number;
  gradients: Record<string, PackedTensor>;
}

/** Rounding errors of float32 are below 1e-6; a wrong constant (epsilon, the form of GELU) causes much larger ones. */
const TOLERANCE = 5e-6;

const timmFixtures = ['timm-mean-pooling', 'timm-class-token', 'timm-class-token-mean'].map((name) => ({
  name,
  fixture: readFixture(name) as TimmFixture,
}));
const pretrainingFixtures = ['pretraining-masked', 'pretraining-class-token', 'pretraining-unmasked'].map((name) => ({
  name,
  fixture: readFixture(name) as PretrainingFixture,
}));

describe('the names and shapes of the parameters', () => {
  const shapes = (values: ReadonlyMap<string, { shape: number[] }>): Record<string, number[]> =>
    Object.fromEntries([...values].map(([name, { shape }]) => [name, shape]));

  it.each(pretrainingFixtures)('are those of $name', ({ fixture: { config, weights, kept } }) => {
    const declared = initialValues(config, { for: 'pretraining', masked: kept !== null }, 0);
    expect(shapes(declared)).toEqual(shapes(unpackValues(weights)));
  });

  it.each(timmFixtures)('account for every weight of $name', ({ fixture: { config, classes, weights } }) => {
    const timm = unpackValues(weights);
    const wanted = [
      ...declarations(config, { for: 'encoding' }),
      ...declarations(config, { for: 'classification', classes }),
    ];
    const outcome = fit('timm', stored(timm), wanted);
    expect(outcome).toMatchObject({ unused: [], resampled: [] });
  });
});

describe('the position tables', () => {
  it.each(pretrainingFixtures)('are those of $name', ({ fixture: { config, weights, kept } }) => {
    const declared = initialValues(config, { for: 'pretraining', masked: kept !== null }, 0);
    for (const name of ['pos_embed', 'decoder_pos_embed']) {
      expect(relativeError(declared.get(name)!.data, unpack(weights[name]!))).toBeLessThan(1e-7);
    }
  });
});

const devices = await availableDevices();

describe.each(devices)('on %s', (deviceName) => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice(deviceName);
  });
  afterAll(() => {
    device.close();
  });

  describe.each(timmFixtures)('$name', ({ fixture }) => {
    const { config, classes } = fixture;
    let encoder: Parameters;
    let classifier: Parameters;
    let images: tf.Tensor4D;
    beforeAll(() => {
      const parametersFor = (purpose: Purpose): Parameters =>
        toParameters(fromForeign('timm', unpackValues(fixture.weights), declarations(config, purpose)));
      encoder = parametersFor({ for: 'encoding' });
      classifier = parametersFor({ for: 'classification', classes });
      images = upload(fixture.images);
    });
    afterAll(() => {
      disposeParameters(encoder);
      disposeParameters(classifier);
      images.dispose();
    });

    it('gives the tokens of timm after the last norm', async () => {
      const encoded = await read(() => encode(encoder, config, images));
      expect(relativeError(encoded, unpack(fixture.encoded))).toBeLessThan(TOLERANCE);
    });

    it('gives its features', async () => {
      const pooled = await read(() => features(encoder, config, images));
      expect(relativeError(pooled, unpack(fixture.features))).toBeLessThan(TOLERANCE);
    });

    it('gives its class scores', async () => {
      const logits = await read(() => classify(classifier, config, images));
      expect(relativeError(logits, unpack(fixture.logits))).toBeLessThan(TOLERANCE);
    });
  });

  describe.each(pretrainingFixtures)('$name', ({ fixture }) => {
    const { config } = fixture;
    let parameters: Parameters;
    let images: tf.Tensor4D;
    let targets: tf.Tensor3D;
    let selection: TokenSelection | null;
    let counted: tf.Tensor2D;
    let dropPath: DropPath;
    beforeAll(() => {
      parameters = toParameters(unpackValues(fixture.weights));
      images = upload(fixture.images);
      targets = upload(fixture.targets);
      const [batch, tokens] = targets.shape;
      selection =
        fixture.kept &&
        tokenSelection(
          fixture.kept.map((row) => Int32Array.from(row)),
          tokens,
        );
      counted = selection?.removed ?? tf.ones([batch, tokens]);
      dropPath = fixture.dropPath.map((factors) => factors && upload(factors));
    });
    afterAll(() => {
      disposeParameters(parameters);
      tf.dispose([images, targets, counted]);
      tf.dispose((dropPath ?? []).filter((factors) => factors !== null));
      if (selection) tf.dispose([selection.rows, selection.places]);
    });

    it('gives the prediction of PyTorch', async () => {
      const prediction = await read(() => predict(parameters, config, images, selection, dropPath));
      expect(relativeError(prediction, unpack(fixture.prediction))).toBeLessThan(TOLERANCE);
    });

    it('gives its loss and the gradient of every parameter', async () => {
      const names = Object.keys(fixture.gradients);
      const { loss, gradients } = meanGradients(
        [images],
        (part) => tokenSquaredError(predict(parameters, config, part, selection, dropPath), targets, counted),
        names.map((name) => parameters.get(name)!),
      );
      expect(relativeError(await loss.data(), [fixture.loss])).toBeLessThan(TOLERANCE);
      const errors: Record<string, number> = {};
      for (const [i, name] of names.entries()) {
        errors[name] = relativeError(await gradients[i]!.data(), unpack(fixture.gradients[name]!));
      }
      tf.dispose([loss, gradients]);
      expect(Object.entries(errors).filter(([, error]) => !(error < TOLERANCE))).toEqual([]);
      expect(names.sort()).toEqual([...parameters.keys()].filter((name) => !name.endsWith('pos_embed')).sort());
    });
  });
});

function upload<R extends tf.Rank>({ shape, float32 }: PackedTensor): tf.Tensor<R> {
  return tf.tensor<R>(unpack({ shape, float32 }), shape as tf.ShapeMap[R], 'float32');
}

async function read(make: () => tf.Tensor): Promise<Float32Array> {
  const tensor = tf.tidy(make);
  const data = await tensor.data<'float32'>();
  tensor.dispose();
  return data;
}
