import { stream } from '../../src/common/random.js';
import { viewPixels } from '../../src/common/view.js';
import { randomMaskedView, windowsOf } from '../../src/data/mask-view.js';
import { shapes } from '../../src/data/shapes.js';

/** An image whose red value is 20 times the class of each pixel, in blocks of 8 × 8. */
function blocks(height: number, width: number) {
  const data = new Uint8Array(height * width);
  const pixels = new Uint8Array(3 * height * width);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = y * width + x;
      data[at] = (Math.floor(y / 8) * 5 + Math.floor(x / 8) * 3) % 12;
      pixels[3 * at] = 20 * data[at];
    }
  }
  return { image: { data: pixels, height, width }, mask: { data, height, width } };
}

test('a random view has the classes of its own pixels, mirrored or not', () => {
  const { image, mask } = blocks(24, 32);
  let agreeing = 0;
  let mirrored = 0;
  const [views, size] = [40, 16];
  for (let i = 0; i < views; i++) {
    const options = { cropScale: [0.3, 1], flip: true } as const;
    const { view, classes } = randomMaskedView(image, mask, size, options, stream(0, 'test', i));
    const { data } = viewPixels(view);
    mirrored += Number(view.mirrored);
    classes.forEach((label, at) => {
      if (Math.abs(data[3 * at]! * 255 - 20 * label) < 10) agreeing += 1;
    });
  }
  // At the borders of blocks, an image is interpolated and a mask is not.
  expect(agreeing / (views * size * size)).toBeGreaterThan(0.6);
  expect(mirrored).toBeGreaterThan(10);
  expect(mirrored).toBeLessThan(30);
});

test('an image of the size is one window as it is', () => {
  const { image, mask } = blocks(16, 16);
  const [window, ...others] = windowsOf(image, mask, 16);
  expect(others).toEqual([]);
  expect([...window!.classes]).toEqual([...mask.data]);
  expect(Array.from(viewPixels(window!.view).data, (value) => Math.round(255 * value))).toEqual([...image.data]);
  expect(window!.scored).toEqual({ rows: [0, 16], columns: [0, 16] });
});

test('each pixel of a long image belongs to one window', () => {
  const { image, mask } = blocks(16, 40);
  const windows = windowsOf(image, mask, 16);
  // Three windows of 16 cover 40 pixels: they begin at 0, 12 and 24, and meet at (0 + 12 + 16) / 2 = 14 and 26.
  expect(windows.map(({ scored }) => scored.columns)).toEqual([
    [0, 14],
    [2, 14],
    [2, 16],
  ]);
  const starts = [0, 12, 24];
  const seen = new Uint8Array(40);
  windows.forEach(({ classes, scored: { columns } }, i) => {
    for (let x = columns[0]; x < columns[1]; x++) {
      seen[starts[i]! + x]! += 1;
      expect(classes[3 * 16 + x]).toBe(mask.data[3 * 40 + starts[i]! + x]);
    }
  });
  expect([...seen]).toEqual(new Array(40).fill(1));
});

describe('shapes with masks', () => {
  const open = (keys: object) =>
    shapes.open(shapes.schema.parse({ imageSize: 24, trainImages: 30, ...keys }), { cores: 1, watch: {} });

  test('are the same pictures with the class of each pixel', async () => {
    const [plain, masked] = [await open({}), await open({ masks: true })];
    if (masked.targets !== 'mask') throw new Error('expected masks');
    expect(masked.classes).toEqual(['background', ...plain.classes]);
    expect(masked.fingerprint).toBe(plain.fingerprint);
    for (let i = 0; i < 30; i++) {
      const [own, sample] = [await plain.train.sample(i), await masked.train.sample(i)];
      expect(sample.image.data).toEqual(own.image.data);
      const found = new Set(sample.target.data);
      expect([...found].sort((a, b) => a - b)).toEqual([0, plain.train.labels[i]! + 1]);
      const share = sample.target.data.filter((label) => label > 0).length / 24 ** 2;
      expect(share).toBeGreaterThan(0.04);
      expect(share).toBeLessThan(0.5);
    }
  });

  test('keep the identity of the plain data set without the key', () => {
    expect(shapes.schema.parse({ masks: false })).toEqual({ ...shapes.schema.parse({}), masks: undefined });
    expect(JSON.stringify(shapes.schema.parse({ masks: false }))).toBe(JSON.stringify(shapes.schema.parse({})));
  });
});
