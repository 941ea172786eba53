import sharp, { type Sharp } from 'sharp';
import type { ByteImage } from '../../src/common/image.js';
import { decodeImage } from '../../src/data/decode.js';

/** A picture of 24 × 16: red left half, blue right half, the lowest quarter white. */
function picture(): Sharp {
  const data = Buffer.alloc(24 * 16 * 3);
  for (let y = 0; y < 16; y++) {
    for (let x = 0; x < 24; x++)
      data.set(y >= 12 ? [255, 255, 255] : x < 12 ? [255, 0, 0] : [0, 0, 255], (y * 24 + x) * 3);
  }
  return sharp(data, { raw: { width: 24, height: 16, channels: 3 } });
}

const decode = async (bytes: Uint8Array): Promise<ByteImage> => (await decodeImage(bytes, 'colour-managed')).image;

async function pixel(bytes: Uint8Array, x: number, y: number): Promise<number[]> {
  const { data, width } = await decode(bytes);
  return Array.from(data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3));
}

const near = (actual: number[], expected: number[], tolerance: number): void => {
  expect(actual).toHaveLength(3);
  actual.forEach((v, i) => {
    expect(Math.abs(v - expected[i]!)).toBeLessThanOrEqual(tolerance);
  });
};

const bytesOf = (image: Sharp): Promise<Buffer> => image.toBuffer();

describe('colour-managed decoding', () => {
  it.each([
    ['PNG', (image: Sharp) => image.png(), 0],
    ['palette PNG', (image: Sharp) => image.png({ palette: true }), 2],
    ['JPEG', (image: Sharp) => image.jpeg({ quality: 95, chromaSubsampling: '4:4:4' }), 8],
    [
      'progressive JPEG',
      (image: Sharp) => image.jpeg({ quality: 95, chromaSubsampling: '4:4:4', progressive: true }),
      8,
    ],
    ['WebP', (image: Sharp) => image.webp({ lossless: true }), 2],
  ] as const)('should read %s', async (_kind, encode, tolerance) => {
    const bytes = await bytesOf(encode(picture()));
    expect(await decode(bytes)).toMatchObject({ height: 16, width: 24 });
    near(await pixel(bytes, 4, 4), [255, 0, 0], tolerance);
    near(await pixel(bytes, 20, 4), [0, 0, 255], tolerance);
    near(await pixel(bytes, 4, 14), [255, 255, 255], tolerance);
  });

  it.each([
    ['JPEG', (image: Sharp) => image.jpeg()],
    ['PNG', (image: Sharp) => image.png()],
  ] as const)('should make three equal channels of a grey %s', async (_kind, encode) => {
    const grey = sharp(Buffer.alloc(64, 100), { raw: { width: 8, height: 8, channels: 1 } }).toColourspace('b-w');
    const bytes = await bytesOf(encode(grey));
    expect((await sharp(bytes).metadata()).channels).toBe(1);
    near(await pixel(bytes, 3, 3), [100, 100, 100], 2);
  });

  it('should bring 16-bit pixels to 8', async () => {
    const deep = Uint16Array.from({ length: 64 * 3 }, (_, i) => [0x8080, 0x4040, 0xffff][i % 3]!);
    const bytes = await bytesOf(
      sharp(deep, { raw: { width: 8, height: 8, channels: 3 } })
        .toColourspace('rgb16')
        .png(),
    );
    expect((await sharp(bytes).metadata()).depth).toBe('ushort');
    near(await pixel(bytes, 3, 3), [128, 64, 255], 1);
  });

  it('should bring CMYK to RGB', async () => {
    const bytes = await bytesOf(picture().toColourspace('cmyk').jpeg({ quality: 95, chromaSubsampling: '4:4:4' }));
    expect((await sharp(bytes).metadata()).space).toBe('cmyk');
    const [red, green, blue] = await pixel(bytes, 4, 4);
    expect(red).toBeGreaterThan(180);
    expect(Math.max(green!, blue!)).toBeLessThan(90);
    near(await pixel(bytes, 4, 14), [255, 255, 255], 6);
  });

  it.each([
    ['PNG', (image: Sharp) => image.png()],
    ['WebP', (image: Sharp) => image.webp({ lossless: true })],
  ] as const)('should lay a transparent %s over white', async (_kind, encode) => {
    const data = Buffer.from(Array.from({ length: 64 }, (_, i) => [255, 0, 0, i < 32 ? 0 : 51]).flat());
    const bytes = await bytesOf(encode(sharp(data, { raw: { width: 8, height: 8, channels: 4 } })));
    near(await pixel(bytes, 3, 0), [255, 255, 255], 1);
    near(await pixel(bytes, 3, 7), [255, 204, 204], 1);
  });

  it('should lay a transparent grey PNG over white', async () => {
    const data = Buffer.from(Array.from({ length: 64 }, (_, i) => [0, i < 32 ? 0 : 255]).flat());
    const bytes = await bytesOf(
      sharp(data, { raw: { width: 8, height: 8, channels: 2 } })
        .toColourspace('b-w')
        .png(),
    );
    near(await pixel(bytes, 3, 0), [255, 255, 255], 1);
    near(await pixel(bytes, 3, 7), [0, 0, 0], 1);
  });

  it('should turn an image as its EXIF orientation says', async () => {
    // Orientation 6: the camera was turned; upright, the stored left edge is the top.
    const bytes = await bytesOf(
      picture().withMetadata({ orientation: 6 }).jpeg({ quality: 95, chromaSubsampling: '4:4:4' }),
    );
    expect(await decode(bytes)).toMatchObject({ height: 24, width: 16 });
    near(await pixel(bytes, 12, 4), [255, 0, 0], 8);
    near(await pixel(bytes, 12, 20), [0, 0, 255], 8);
    near(await pixel(bytes, 1, 10), [255, 255, 255], 8);
  });

  it.each([
    ['JPEG', (image: Sharp) => image.jpeg()],
    ['PNG', (image: Sharp) => image.png()],
    ['WebP', (image: Sharp) => image.webp()],
  ] as const)('should refuse a %s that is cut short', async (_kind, encode) => {
    const noise = Buffer.from(Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * 7919 + (i >> 3) * 104_729) & 255));
    const bytes = await bytesOf(encode(sharp(noise, { raw: { width: 64, height: 64, channels: 3 } })));
    await expect(decode(bytes.subarray(0, bytes.length / 2))).rejects.toThrow();
  });

  it('should pass over stray bytes that decoders merely warn of', async () => {
    const bytes = await bytesOf(picture().jpeg());
    // After the first segment: two bytes of marker, then its length.
    const end = 4 + bytes.readUInt16BE(4);
    const stray = Buffer.concat([bytes.subarray(0, end), Buffer.from([1, 2, 3, 4]), bytes.subarray(end)]);
    await expect(sharp(stray, { failOn: 'warning' }).raw().toBuffer()).rejects.toThrow(/extraneous/);
    expect(await decode(stray)).toMatchObject({ height: 16, width: 24 });
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['text', Buffer.from('<html>404</html>')],
  ])('should refuse %s', async (_what, bytes) => {
    await expect(decode(bytes)).rejects.toThrow();
  });
});
