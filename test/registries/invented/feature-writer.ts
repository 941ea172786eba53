/** A file of features: the sum of those of each image, one a line. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type * as writers from '../../../src/embedding/writers/index.js';
import type { Invented } from '../support.js';

const TEXT = `
import { writeFileAtomic } from '../../store/files.js';
import type { FeatureWriter } from './writer.js';

export const sums = {
  title: 'a list of sums',
  holdsTokens: false,
  async write(path, [width = 0], _most, batches) {
    const lines: string[] = [];
    for await (const { names, values } of batches) {
      names.forEach((name, i) => {
        lines.push(name + ' ' + String(values.subarray(i * width, (i + 1) * width).reduce((a, b) => a + b, 0)));
      });
    }
    writeFileAtomic(path, lines.join('\\n'));
    return [path];
  },
} as const satisfies FeatureWriter;
`;

export const featureWriter: Invented = {
  title: 'file of features',
  file: { path: 'src/embedding/writers/sums.ts', text: TEXT },
  listed: {
    path: 'src/embedding/writers/index.ts',
    import: "import { sums } from './sums.js';",
    after: '  csv,',
    entry: '  sums,',
  },
  tests(copy) {
    it('is chosen by the extension of a name, and written', async () => {
      const { writerFor } = await copy.load<typeof writers>('embedding/writers/index');
      const path = join(copy.folder, 'features.sums');
      async function* batches() {
        yield await Promise.resolve({ names: ['a', 'b'], values: Float32Array.of(1, 2, 3, 4) });
      }
      expect(await writerFor(path, false).write(path, [2], 2, batches())).toEqual([path]);
      expect(readFileSync(path, 'utf8')).toBe('a 3\nb 7');
    });

    it('is named if a name has no format, and refuses tokens', async () => {
      const { writerFor } = await copy.load<typeof writers>('embedding/writers/index');
      expect(() => writerFor('features.xyz', false)).toThrow('end it with one of .npy, .parquet, .csv, .sums');
      expect(() => writerFor('features.sums', true)).toThrow('.sums files hold one row of numbers for each image');
    });
  },
};
