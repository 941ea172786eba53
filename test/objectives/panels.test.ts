/** Preview panels, and the image in which they are drawn. */
import * as tf from '@tensorflow/tfjs';
import sharp from 'sharp';
import type { FloatImage } from '../../src/common/image.js';
import { composeObjective } from '../../src/objectives/compose.js';
import { renderPreview } from '../../src/objectives/contact-sheet.js';
import { panelArray, previewPanels, type Panels } from '../../src/objectives/panels.js';
import { normalizePatches } from '../../src/ops/index.js';
import type { Task } from '../../src/spec/task.js';
import { relativeError } from '../support/arrays.js';
import { examplesOf, GEOMETRIES, imageOf, STYLES, taskOf } from './support.js';

beforeAll(() => tf.setBackend('cpu'));

const compose = (parts: Partial<Task>) => composeObjective(taskOf(parts), { imageSize: 16, patchSize: 4 });

function panel({ captions, rows }: Panels, row: number, caption: string): FloatImage {
  expect(captions).toContain(caption);
  return rows[row]![captions.indexOf(caption)]!;
}

it('shows original, input and target of an unmasked task', async () => {
  const objective = compose({ style: STYLES.decolorized });
  const examples = examplesOf(objective, 2);
  const panels = await previewPanels(objective, examples);
  expect(panels.captions).toEqual(['original', 'input', 'target']);
  expect(panels.rows).toHaveLength(2);
  expect(relativeError(panel(panels, 1, 'original').data, examples[1]!.field.data)).toBeLessThan(1e-6);
  expect(relativeError(panel(panels, 1, 'target').data, examples[1]!.field.data)).toBeLessThan(1e-6);
  const grey = panel(panels, 0, 'input').data;
  expect(Math.abs(grey[0]! - grey[1]!)).toBeLessThan(1e-6);
});

it('shows only removed tokens in grey', async () => {
  const objective = compose({ maskRatio: 0.75 });
  const [example] = examplesOf(objective, 1);
  const panels = await previewPanels(objective, [{ ...example!, kept: Int32Array.of(0, 1, 2, 7) }]);
  const [input, visible] = [panel(panels, 0, 'input'), panel(panels, 0, 'visible')];
  const at = (image: FloatImage, y: number, x: number): number => image.data[(y * 16 + x) * 3]!;
  expect(at(visible, 0, 4)).toBe(at(input, 0, 4));
  expect(at(visible, 7, 15)).toBe(at(input, 7, 15)); // the last pixel of token 7
  expect(at(visible, 0, 12)).toBe(0.5);
  expect(at(visible, 8, 0)).toBe(0.5);
});

it.each(Object.entries(GEOMETRIES))('reconstructs a perfect prediction as the target (%s)', async (_, geometry) => {
  const objective = compose({ maskRatio: 0.75, geometry });
  const before = tf.memory().numTensors;
  const panels = await previewPanels(objective, examplesOf(objective, 2), (batch) =>
    tf.tidy(() => normalizePatches(objective.picture(batch), 4, 'patch-channel')),
  );
  expect(tf.memory().numTensors).toBe(before);
  expect(panels.captions).toEqual(['original', 'input', 'visible', 'target', 'reconstruction']);
  for (const row of [0, 1]) {
    const [target, reconstruction] = [panel(panels, row, 'target'), panel(panels, row, 'reconstruction')];
    expect(relativeError(reconstruction.data, target.data)).toBeLessThan(1e-5);
  }
  for (const image of panels.rows.flat()) {
    expect([image.height, image.width]).toEqual([16, 16]);
    expect(Math.min(...image.data)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...image.data)).toBeLessThanOrEqual(1);
  }
});

it('lists all panels in one array', () => {
  const flat = (value: number): FloatImage => imageOf(2, () => value);
  const panels = {
    captions: ['a', 'b', 'c'],
    rows: [
      [flat(0), flat(1), flat(2)],
      [flat(3), flat(4), flat(5)],
    ],
  };
  const { data, shape } = panelArray(panels);
  expect(shape).toEqual([2, 3, 2, 2, 3]);
  expect([...data].filter((_, i) => i % 12 === 11)).toEqual([0, 1, 2, 3, 4, 5]);
});

describe('the picture', () => {
  // One row of two panels: 4 px with a single red pixel in the second row and third column; all blue.
  const red = imageOf(4, (y, x, c) => Number(y === 1 && x === 2 && c === 0));
  const blue = imageOf(4, (_, __, c) => Number(c === 2));
  const panels: Panels = { captions: ['red', 'blue'], rows: [[red, blue]] };
  const scale = 224 / 4;

  const decode = async (captions: boolean) => {
    const { data, info } = await sharp(await renderPreview(panels, { captions }))
      .raw()
      .toBuffer({ resolveWithObject: true });
    expect(info.channels).toBe(3);
    const at = (y: number, x: number): number[] => [...data.subarray((y * info.width + x) * 3).subarray(0, 3)];
    return { at, data, info };
  };

  it('writes labels with any characters left of the rows', async () => {
    const labelled = await renderPreview(panels, { captions: false, labels: ['a < b & c'] });
    const { width } = await sharp(labelled).metadata();
    expect(width).toBe(150 + 2 * (224 + 4));
    const margin = await sharp(labelled).extract({ left: 0, top: 0, width: 150, height: 232 }).stats();
    expect(margin.channels[0]!.min).toBeLessThan(128); // ink
  });

  it('enlarges each pixel to a square, without smoothing', async () => {
    const { at, info } = await decode(false);
    expect([info.height, info.width]).toEqual([4 + 224 + 4, 4 + 2 * (224 + 4)]);
    for (const [y, x] of [
      [scale, 2 * scale],
      [2 * scale - 1, 3 * scale - 1],
    ] as const) {
      expect(at(4 + y, 4 + x)).toEqual([255, 0, 0]);
    }
    expect(at(4 + scale - 1, 4 + 2 * scale)).toEqual([0, 0, 0]);
    expect(at(4 + 100, 4 + 228)).toEqual([0, 0, 255]);
    expect(at(4 + 100, 4 + 224 + 1)).toEqual([255, 255, 255]);
  });

  it('has the given number of colours, or all', async () => {
    const row = Array.from({ length: 2 }, (_, i) => imageOf(16, (y, x, c) => (y * 16 + x + 100 * c * i) / 511));
    const many: Panels = { ...panels, rows: [row] };
    const all = await renderPreview(many, { captions: false });
    const few = await renderPreview(many, { captions: false, colours: 16 });
    const coloursOf = async (png: Buffer): Promise<number> => {
      const pixels = (await sharp(png).raw().toBuffer()).toString('hex').match(/.{6}/g)!;
      return new Set(pixels).size;
    };
    expect(await coloursOf(all)).toBeGreaterThan(256);
    expect(await coloursOf(few)).toBeLessThanOrEqual(16);
    expect(few.length).toBeLessThan(all.length);
  });

  it('has a line of captions if requested', async () => {
    const { at, data, info } = await decode(true);
    expect(info.height).toBe(20 + 224 + 4);
    expect(at(20 + scale, 4 + 2 * scale)).toEqual([255, 0, 0]);
    expect(data.subarray(0, 20 * info.width * 3).some((value) => value < 128)).toBe(true);
  });
});
