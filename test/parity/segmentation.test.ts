/** Segmentation against PyTorch, torchmetrics and Pillow. segmentation.py writes the fixture. */
import * as tf from '@tensorflow/tfjs';
import type { Device } from '../../src/backends/device.js';
import { openDevice } from '../../src/backends/open.js';
import { decodeIndexedPng } from '../../src/data/formats/indexed-png.js';
import { nearestPixels } from '../../src/data/mask-view.js';
import { IGNORED } from '../../src/data/target.js';
import type { Values } from '../../src/model/parameters.js';
import { segmentTokens, upsamplingMatrix } from '../../src/model/segment.js';
import { pixelCrossEntropy, Repeated } from '../../src/ops/index.js';
import { trainStep } from '../../src/training/loop.js';
import { ConfusionMatrix } from '../../src/training/mean-iou.js';
import { disposeState, freshState } from '../../src/training/state.js';
import { readFixture } from './fixture.js';

interface Fixture {
  head: {
    batch: number;
    tokens: number;
    dim: number;
    size: number;
    classes: number;
    inputs: number[];
    labels: number[];
    dropped: number[];
    learningRate: number;
    weightDecay: number;
    before: Record<string, number[]>;
    evaluated: number[];
    loss: number;
    gradientOfTokens: number[];
    after: Record<string, number[]>;
  };
  iou: {
    classes: number;
    truth: number[];
    predicted: number[];
    absent: number[];
    mean: number;
    each: number[];
    pixelAccuracy: number;
  }[];
  nearest: { length: number; size: number; indices: number[] }[];
  masks: { mode: string; bits: number; png: string; height: number; width: number; numbers: number[] }[];
  coloured: string;
}

const fixture = readFixture('segmentation') as Fixture;

function expectClose(found: ArrayLike<number>, expected: readonly number[], digits: number): void {
  expect(found).toHaveLength(expected.length);
  expected.forEach((value, i) => {
    expect(found[i]).toBeCloseTo(value, digits);
  });
}

describe.each(['cpu', 'simd'] as const)('the head on %s', (name) => {
  const { head } = fixture;
  let device: Device;
  beforeAll(async () => {
    device = await openDevice(name);
  });
  afterAll(() => {
    device.close();
  });

  const begun = () => {
    const initial: Values = new Map(
      Object.entries(head.before).map(([key, values]) => {
        const shape = key === 'segment_head.weight' ? [head.dim, head.classes] : [values.length];
        return [key, { shape, data: Float32Array.from(values) }];
      }),
    );
    const state = freshState(initial, { depth: 1, layerDecay: 1, weightDecay: head.weightDecay });
    const tokens = tf.tensor3d(head.inputs, [head.batch, head.tokens, head.dim]);
    const labels = tf.tensor1d(
      head.labels.map((label) => (label === IGNORED ? -1 : label)),
      'int32',
    );
    const dropped = tf.tensor3d(head.dropped, [head.batch, 1, head.dim]);
    const upsampling = upsamplingMatrix(Math.sqrt(head.tokens), head.size);
    const loss = (inputs: tf.Tensor3D): tf.Scalar => {
      const scores = segmentTokens(state.parameters, inputs, upsampling, { kind: 'train', dropped });
      return pixelCrossEntropy(tf.reshape<tf.Rank.R2>(scores, [-1, head.classes]), labels);
    };
    const end = (): void => {
      disposeState(state);
      tf.dispose([tokens, labels, dropped, upsampling]);
    };
    return { state, tokens, upsampling, loss, end };
  };

  test('has the scores in evaluation, by the running statistics', async () => {
    const { state, tokens, upsampling, end } = begun();
    const scores = tf.tidy(() => segmentTokens(state.parameters, tokens, upsampling, { kind: 'evaluate' }));
    expectClose(await scores.data(), head.evaluated, 5);
    scores.dispose();
    end();
  });

  test('has the loss without ignored pixels, and its gradient in the tokens', async () => {
    const { tokens, loss, end } = begun();
    const { value, grads } = tf.valueAndGrads((inputs) => loss(inputs as tf.Tensor3D))([tokens]);
    expect((await value.data())[0]).toBeCloseTo(head.loss, 5);
    expectClose(await grads[0]!.data(), head.gradientOfTokens, 6);
    tf.dispose([value, grads]);
    end();
  });

  test('has the weights and the running statistics after a step', async () => {
    const { state, tokens, loss, end } = begun();
    const schedule = {
      baseLearningRate: (head.learningRate * 256) / head.batch,
      minLearningRate: 0,
      warmupEpochs: 0,
      batchSize: head.batch,
      epochs: 1,
    };
    const task = { recipe: {}, stepsPerEpoch: 1, loss: () => loss(tokens), tensors: () => [] };
    trainStep(task, schedule, state, [{}], new Repeated());
    for (const [key, values] of Object.entries(head.after)) {
      expectClose(await state.parameters.get(key)!.data(), values, 5);
    }
    end();
  });
});

test.each(fixture.iou)(
  'mean IoU of $classes classes, without $absent',
  ({ classes, truth, predicted, ...expected }) => {
    const matrix = new ConfusionMatrix(classes);
    truth.forEach((label, i) => {
      matrix.add(label, predicted[i]!);
    });
    // torchmetrics computes in float32.
    expect(matrix.meanIou()).toBeCloseTo(expected.mean, 4);
    expect(matrix.pixelAccuracy()).toBeCloseTo(expected.pixelAccuracy, 4);
    matrix.classIou().forEach((iou, c) => {
      if (expected.absent.includes(c)) expect(iou).toBeNull();
      else expect(iou).toBeCloseTo(expected.each[c]!, 4);
    });
  },
);

test.each(fixture.nearest)('nearest pixels from $length to $size', ({ length, size, indices }) => {
  expect(nearestPixels(length, size)).toEqual(indices);
});

test.each(fixture.masks)('numbers of a PNG, mode $mode with $bits bits', ({ png, height, width, numbers }) => {
  const mask = decodeIndexedPng(Buffer.from(png, 'base64'));
  expect(mask).toMatchObject({ height, width });
  expect([...mask.data]).toEqual(numbers);
});

test('a mask of colours, a truncated one and another file are refused', () => {
  expect(() => decodeIndexedPng(Buffer.from(fixture.coloured, 'base64'))).toThrow(
    'it has colours (RGB), not one class for each pixel; save it with a palette or in grey',
  );
  const bytes = Buffer.from(fixture.masks[0]!.png, 'base64');
  expect(() => decodeIndexedPng(bytes.subarray(0, bytes.length - 20))).toThrow('it is truncated');
  expect(() => decodeIndexedPng(Buffer.from('GIF89a'))).toThrow('it is no PNG file');
});
