/**
 * Decoding against Pillow's, bit for bit. fixtures/decode.py wrote the files and the hashes of their pixels. The photographs
 * are in `imagenet-samples-32.tar` in the folder that VITMIM_TEST_IMAGES names; skipped if the variable is unset, and
 * VITMIM_REQUIRE_IMAGES=1 makes their absence a failure.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeImage } from '../../src/data/decode.js';
import { temporaryFolders } from './fixture.js';

interface Pixels {
  height: number;
  width: number;
  sha256: string;
}

const read = (name: string): unknown => JSON.parse(readFileSync(join('test/data/fixtures', name), 'utf8'));
const { cases } = read('decode.json') as { cases: Record<string, Pixels & { file: string }> };
const { photographs } = read('photographs.json') as { photographs: Record<string, Pixels> };

async function pixelsOf(bytes: Uint8Array): Promise<Pixels> {
  const { data, height, width } = (await decodeImage(bytes)).image;
  return { height, width, sha256: createHash('sha256').update(data).digest('hex') };
}

it.each(Object.entries(cases))('decodes %s as Pillow does', async (_name, { file, ...pixels }) => {
  expect(await pixelsOf(Buffer.from(file, 'base64'))).toEqual(pixels);
});

const { VITMIM_TEST_IMAGES: folder, VITMIM_REQUIRE_IMAGES: required } = process.env;
const archive = join(folder ?? '', 'imagenet-samples-32.tar');

(folder !== undefined || required === '1' ? describe : describe.skip)('photographs', () => {
  const folderFor = temporaryFolders();

  it('are decoded as Pillow does, and none of them counts as damaged', async () => {
    if (folder === undefined || !existsSync(archive)) {
      throw new Error('VITMIM_TEST_IMAGES is to name a folder with imagenet-samples-32.tar');
    }
    const root = await folderFor();
    execFileSync('tar', ['-xf', archive, '-C', root]);
    for (const [name, pixels] of Object.entries(photographs)) {
      const bytes = await readFile(join(root, name));
      expect({ name, ...(await pixelsOf(bytes)) }).toEqual({ name, ...pixels });
      expect((await decodeImage(bytes)).damage).toBeNull();
    }
    expect(Object.keys(photographs)).toHaveLength(33);
  });
});
