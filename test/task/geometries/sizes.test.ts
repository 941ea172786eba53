/** Fractions against the sizes in PAPER.md §4 and §13. */
import { UsageError } from '../../../src/common/errors.js';
import { outerFieldSize, windowSize } from '../../../src/task/geometries/zoomed-in.js';
import { contentSize } from '../../../src/task/geometries/zoomed-out.js';

it("gives the paper's sizes at 224 px", () => {
  expect(windowSize(160 / 224, 224)).toBe(160);
  expect(outerFieldSize(224 / 288, 224)).toBe(288);
  expect(contentSize(160 / 224, 224)).toBe(160);
});

it('gives the sizes of the small-scale study at 32 px', () => {
  expect(windowSize(160 / 224, 32)).toBe(22);
  expect(outerFieldSize(224 / 288, 32)).toBe(42);
  expect(contentSize(160 / 224, 32)).toBe(23);
});

it('keeps windows and fields centred in images of every size', () => {
  for (let size = 8; size < 70; size++) {
    expect((size - windowSize(160 / 224, size)) % 2).toBe(0);
    expect((outerFieldSize(224 / 288, size) - size) % 2).toBe(0);
  }
});

it('splits the field exactly into the centre and the four strips', () => {
  const [field, image] = [outerFieldSize(224 / 288, 224), 224];
  const border = (field - image) / 2;
  const strips = 2 * border * field + 2 * border * image;
  expect([image * image, strips]).toEqual([50176, 32768]);
  expect(image * image + strips).toBe(field * field);
});

it('rejects a zoom of less than a pixel and names its key', () => {
  expect(() => windowSize(0.99, 32)).toThrow(UsageError);
  expect(() => outerFieldSize(0.99, 32)).toThrow('degradation.zoomedIn.fraction 0.99');
  expect(() => contentSize(0.99, 32)).toThrow('degradation.zoomedOut.fraction 0.99');
  expect(() => windowSize(0.01, 32)).toThrow(UsageError);
});
