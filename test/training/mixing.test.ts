import * as tf from '@tensorflow/tfjs';
import { stream } from '../../src/common/random.js';
import { drawMix, mixImages, mixLabels, mixTensor, type Mix } from '../../src/training/mixing.js';

const both = { classes: 4, labelSmoothing: 0.1, mixup: 0.8, cutmix: 1 };

describe('drawMix', () => {
  it('does not mix when both are off', () => {
    expect(drawMix({ ...both, mixup: 0, cutmix: 0 }, 8, stream(0, 'a'))).toEqual({ kind: 'none' });
  });

  it('draws mixup and cutmix at even odds if both are on', () => {
    const kinds = Array.from({ length: 4000 }, (_, i) => drawMix(both, 32, stream(0, i)).kind);
    const share = kinds.filter((kind) => kind === 'cutmix').length / kinds.length;
    expect(share).toBeGreaterThan(0.47); // 4 standard deviations are 0.032
    expect(share).toBeLessThan(0.53);
  });

  it('uses the only one that is on', () => {
    for (let i = 0; i < 50; i++) {
      expect(drawMix({ ...both, cutmix: 0 }, 8, stream(1, i)).kind).toBe('mixup');
      expect(drawMix({ ...both, mixup: 0 }, 8, stream(1, i)).kind).toBe('cutmix');
    }
  });

  it('draws mixup weights from Beta(a, a): mean 1/2, variance 1/(4(2a + 1))', () => {
    const draws = Array.from({ length: 20000 }, (_, i) => {
      const mix = drawMix({ ...both, cutmix: 0 }, 8, stream(2, i));
      return mix.kind === 'mixup' ? mix.lambda : NaN;
    });
    const mean = draws.reduce((a, b) => a + b) / draws.length;
    const variance = draws.reduce((sum, x) => sum + (x - mean) ** 2, 0) / draws.length;
    expect(mean).toBeCloseTo(0.5, 1);
    expect(variance).toBeCloseTo(1 / (4 * 2.6), 2);
  });

  it('uses as the weight of cutmix the share of the image that remains after the box is clipped', () => {
    for (let i = 0; i < 200; i++) {
      const mix = drawMix({ ...both, mixup: 0 }, 16, stream(3, i));
      if (mix.kind !== 'cutmix') throw new Error('expected cutmix');
      const images = new Float32Array(2 * 16 * 16 * 3);
      images.fill(1, 16 * 16 * 3);
      mixImages(images, 2, 16, mix);
      const replaced = images.subarray(0, 16 * 16 * 3).reduce((a, b) => a + b, 0) / (16 * 16 * 3);
      expect(1 - replaced).toBeCloseTo(mix.lambda, 6);
    }
  });
});

describe('mixImages', () => {
  it('blends each image with the one at the opposite position in the batch', () => {
    const images = Float32Array.of(...[1, 1, 1], ...[5, 5, 5], ...[3, 3, 3]);
    mixImages(images, 3, 1, { kind: 'mixup', lambda: 0.75 });
    expect([...images]).toEqual([1.5, 1.5, 1.5, 5, 5, 5, 2.5, 2.5, 2.5]);
  });

  it('pastes the box of the opposite image', () => {
    const images = Float32Array.from({ length: 2 * 4 * 3 }, (_, i) => (i < 12 ? 0 : 1));
    mixImages(images, 2, 2, { kind: 'cutmix', lambda: 0.75, top: 0, bottom: 1, left: 1, right: 2 });
    expect([...images.subarray(0, 12)]).toEqual([0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0]);
    expect([...images.subarray(12)]).toEqual([1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1]);
  });
});

describe('mixTensor', () => {
  beforeAll(() => tf.setBackend('cpu'));

  const mixed = (values: number[], side: number, mix: Mix): number[] => {
    const images = tf.tensor4d(values, [values.length / (side * side * 3), side, side, 3]);
    return tf.tidy(() => [...mixTensor(images, mix).dataSync()]);
  };

  it('blends each image with the one at the opposite position in the batch', () => {
    const blended = mixed([1, 1, 1, 5, 5, 5, 3, 3, 3], 1, { kind: 'mixup', lambda: 0.75 });
    expect(blended).toEqual([1.5, 1.5, 1.5, 5, 5, 5, 2.5, 2.5, 2.5]);
  });

  it('pastes the box of the opposite image', () => {
    // Images of 3 × 3 pixels, the first of 2, the second of 7; the box is the middle row except its first pixel.
    const images = Array.from({ length: 2 * 9 * 3 }, (_, i) => (i < 27 ? 2 : 7));
    const pasted = mixed(images, 3, { kind: 'cutmix', lambda: 7 / 9, top: 1, bottom: 2, left: 1, right: 3 });
    const pixels = pasted.filter((_, i) => i % 3 === 0);
    expect(pixels.slice(0, 9)).toEqual([2, 2, 2, 2, 7, 7, 2, 2, 2]);
    expect(pixels.slice(9)).toEqual([7, 7, 7, 7, 2, 2, 7, 7, 7]);
    expect(pasted).toEqual(pixels.flatMap((value) => [value, value, value]));
  });

  it('does not change images that are not mixed', () => {
    expect(mixed([1, 2, 3], 1, { kind: 'none' })).toEqual([1, 2, 3]);
  });
});

describe('mixLabels', () => {
  const options = { classes: 4, labelSmoothing: 0.2 };

  it('smooths one-hot labels', () => {
    const targets = mixLabels([2], { kind: 'none' }, options);
    [0.05, 0.05, 0.85, 0.05].forEach((value, i) => {
      expect(targets[i]).toBeCloseTo(value, 6);
    });
  });

  it.each<Mix>([
    { kind: 'none' },
    { kind: 'mixup', lambda: 0.3 },
    { kind: 'cutmix', lambda: 0.6, top: 0, left: 0, bottom: 1, right: 1 },
  ])('gives rows that sum to 1 ($kind)', (mix) => {
    const targets = mixLabels([0, 3, 1], mix, options);
    for (let row = 0; row < 3; row++) {
      expect(targets.subarray(row * 4, row * 4 + 4).reduce((a, b) => a + b)).toBeCloseTo(1, 6);
    }
  });

  it('weights the own label of an image by lambda and the opposite one by the rest', () => {
    const targets = mixLabels([0, 1], { kind: 'mixup', lambda: 0.7 }, { classes: 2, labelSmoothing: 0 });
    [0.7, 0.3, 0.3, 0.7].forEach((value, i) => {
      expect(targets[i]).toBeCloseTo(value, 6);
    });
  });
});

describe('mixing a batch', () => {
  it.each([
    { mixup: 0.8, cutmix: 0 },
    { mixup: 0, cutmix: 1 },
    { mixup: 0, cutmix: 0 },
  ])('mixes labels by the share each image has ($mixup, $cutmix)', (strengths) => {
    // The brightness of each image is its label: the mean brightness must be the mean label.
    const [labels, size] = [[0, 3, 1, 2], 8];
    const stride = size * size * 3;
    for (let draw = 0; draw < 50; draw++) {
      const images = Float32Array.from({ length: 4 * stride }, (_, i) => labels[Math.floor(i / stride)]!);
      const options = { classes: 4, labelSmoothing: 0, ...strengths };
      const mix = drawMix(options, size, stream(9, draw));
      const targets = mixLabels(labels, mix, options);
      mixImages(images, labels.length, size, mix);
      labels.forEach((_label, b) => {
        const brightness = images.subarray(b * stride, (b + 1) * stride).reduce((x, y) => x + y) / stride;
        const meanLabel = [0, 1, 2, 3].reduce((sum, label) => sum + label * targets[b * 4 + label]!, 0);
        expect(meanLabel).toBeCloseTo(brightness, 4);
      });
    }
  });
});
