/** Corruptions against NumPy, SciPy and Pillow. corruptions.py writes the fixture. */
import { stream } from '../../src/common/random.js';
import { corrupt, CORRUPTION_NAMES, CORRUPTIONS, type CorruptionName } from '../../src/data/corruptions/index.js';
import { poisson } from '../../src/data/corruptions/noise.js';
import { bytesOf, largestDifference } from '../data/fixture.js';
import { readFixture } from './fixture.js';

interface Fixture {
  side: number;
  pixels: string;
  /** Values from 0 to 255 in hundredths: they are not bytes yet. */
  results: { name: CorruptionName; severity: number; hundredths: string }[];
  /** Probabilities of at most as many events as a standard deviation below the mean, the mean, and one above. */
  poisson: { mean: number; below: [number, number, number] }[];
}

const fixture = readFixture('corruptions') as Fixture;
const SIDE = fixture.side;
const IMAGE = { data: Float32Array.from(bytesOf(fixture.pixels), (value) => value / 255), height: SIDE, width: SIDE };
const INDEX = 7;

/** Bytes are cut off: up to 1 below the value. Pillow's and libjpeg's own bytes differ by rounding. */
const TOLERANCES: Partial<Record<CorruptionName, number>> = { pixelate: 1.02, jpeg_compression: 3.02 };

it.each(fixture.results)('$name of severity $severity', async ({ name, severity, hundredths }) => {
  const { data } = await corrupt(IMAGE, name, severity, INDEX);
  const values = new Uint16Array(bytesOf(hundredths).buffer);
  const expected = Float32Array.from(values, (value, i) => value / 100 - data[i]!);
  const tolerance = TOLERANCES[name];
  if (tolerance !== undefined)
    expect(
      largestDifference(
        expected,
        expected.map(() => 0),
      ),
    ).toBeLessThan(tolerance);
  else {
    expect(Math.min(...expected)).toBeGreaterThan(-0.02);
    expect(Math.max(...expected)).toBeLessThan(1.02);
  }
});

it.each(fixture.poisson)('shot noise draws from the Poisson distribution of mean $mean', ({ mean, below }) => {
  const draws = 20_000;
  const random = stream(0, 'test', mean);
  const drawn = Array.from({ length: draws }, () => poisson(mean, random));
  for (const [i, bound] of [mean - Math.sqrt(mean), mean, mean + Math.sqrt(mean)].entries()) {
    const share = drawn.filter((events) => events <= bound).length / draws;
    const deviation = Math.sqrt((below[i]! * (1 - below[i]!)) / draws);
    expect(Math.abs(share - below[i]!)).toBeLessThan(4.5 * deviation + 1e-9);
  }
});

describe.each(CORRUPTION_NAMES)('%s', (name) => {
  const difference = async (severity: number): Promise<number> => {
    const { data } = await corrupt(IMAGE, name, severity, INDEX);
    return data.reduce((sum, value, i) => sum + (value / 255 - IMAGE.data[i]!) ** 2, 0) / data.length;
  };

  it('is the same each time, and leaves the image', async () => {
    const before = IMAGE.data.slice();
    const first = await corrupt(IMAGE, name, 3, INDEX);
    expect(await corrupt(IMAGE, name, 3, INDEX)).toEqual(first);
    expect(first).toMatchObject({ height: SIDE, width: SIDE });
    expect(IMAGE.data).toEqual(before);
  });

  it('changes the image, and more at severity 5 than at 1', async () => {
    expect(await difference(1)).toBeGreaterThan(1e-6);
    // Severity 1 of the elastic transform moves the whole image, and the others its parts.
    if (name !== 'elastic_transform') expect(await difference(5)).toBeGreaterThan(await difference(1));
  });

  it('has strengths for images of 224 pixels', async () => {
    const large = { data: new Float32Array(3 * 130 * 130).fill(0.5), height: 130, width: 130 };
    large.data.fill(0.9, 0, 9000);
    expect((await corrupt(large, name, 5, 0)).data).toHaveLength(large.data.length);
    expect(() => CORRUPTIONS[name].apply(large, 6, stream(0, 'test'))).toThrow('severity 6');
  });
});
