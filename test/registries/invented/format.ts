/** An image format: a side and a grey value, of one byte each. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type * as decode from '../../../src/data/decode.js';
import type { Invented } from '../support.js';

const TEXT = `
import { greyImage } from './grey.js';
import { hasText, type ImageFormat } from './format.js';

const decode = (bytes: Uint8Array) => Promise.resolve(greyImage(bytes[5]!, bytes[5]!, () => bytes[6]!));

export const plain: ImageFormat = {
  title: 'Plain',
  extensions: ['plain'],
  matches: (bytes) => hasText(bytes, 'PLAIN'),
  decode: { torchvision: decode, 'colour-managed': decode },
};
`;

export const format: Invented = {
  title: 'image format',
  file: { path: 'src/data/formats/plain.ts', text: TEXT },
  listed: {
    path: 'src/data/formats/index.ts',
    import: "import { plain } from './plain.js';",
    after: '  netpbm,',
    entry: '  plain,',
  },
  tests(copy) {
    it('is decoded, and its files are images', async () => {
      const bytes = Buffer.from('PLAIN\x02\x07');
      const { decodeImage } = await copy.load<typeof decode>('data/decode');
      expect((await decodeImage(bytes)).image).toEqual({ data: new Uint8Array(12).fill(7), height: 2, width: 2 });

      mkdirSync(join(copy.folder, 'images'));
      writeFileSync(join(copy.folder, 'images/a.plain'), bytes);
      writeFileSync(
        join(copy.folder, 'plain.yaml'),
        'job: { data: { name: image-folder, path: images }, evaluate: [] }\n',
      );
      expect(await copy.vitmim('plan', 'plain.yaml')).toContain('train 1 image without classes');
    });
  },
};
