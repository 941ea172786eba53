/** The two inputs of zoomed-in. */
import { denormalizeImage, normalizeImage } from '../../../src/common/image.js';
import { stream } from '../../../src/common/random.js';
import { cropCentre, enlargeCentre, zoomedIn } from '../../../src/task/geometries/zoomed-in.js';
import { GEOMETRIES, imageOf, noise } from '../../objectives/support.js';

it('crops the centre unchanged', () => {
  const image = noise(10, 'field');
  const crop = cropCentre(image, 6);
  expect(crop).toEqual(imageOf(6, (y, x, c) => image.data[((y + 2) * 10 + x + 2) * 3 + c]!));
});

it('enlarges only the centre: pixels outside have no influence', () => {
  const image = imageOf(16, (y, x) => (y >= 4 && y < 12 && x >= 4 && x < 12 ? 0.25 : 1));
  expect([...enlargeCentre(image, 8, 16).data].every((value) => Math.abs(value - 0.25) < 1e-6)).toBe(true);
});

it('magnifies a ramp by the size of the image over that of the window', () => {
  const ramp = imageOf(32, (_, x) => x / 31);
  const { data } = enlargeCentre(ramp, 16, 32);
  const slope = (data[(16 * 32 + 20) * 3]! - data[(16 * 32 + 10) * 3]!) / 10;
  expect(slope).toBeCloseTo(0.5 / 31, 5);
});

it('shows the 22 px in the middle of a 32 px field, enlarged, for the field loss', () => {
  const part = zoomedIn.part(GEOMETRIES['zoomed-in'], 32);
  const field = noise(32, 'field');
  expect(part.fieldSize).toBe(32);
  const draw = part.draw(stream(0, 'unused'));
  expect(part.move(field, draw)).toEqual(normalizeImage(enlargeCentre(field, 22, 32)));
  expect(draw.placement).toBeNull();
});

it('shows the 32 px in the middle of a 42 px field unchanged, for the centre-border loss', () => {
  const part = zoomedIn.part(GEOMETRIES['zoomed-in by centre and border'], 32);
  const field = noise(42, 'field');
  expect(part.fieldSize).toBe(42);
  const pixels = denormalizeImage(part.move(field, part.draw(stream(0, 'unused')))).data;
  const expected = cropCentre(field, 32).data;
  expect(Math.max(...pixels.map((value, i) => Math.abs(value - expected[i]!)))).toBeLessThan(1e-6);
});
