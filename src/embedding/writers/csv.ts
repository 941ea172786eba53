/** `.csv`: a row for each image, with its name and a column for each feature. */
import { stringify } from 'csv-stringify/sync';
import { writeFileAtomicBy, writeWhole } from '../../store/files.js';
import type { FeatureWriter } from './writer.js';

/** Digits that distinguish every two float32 numbers. */
const DIGITS = 9;

export const csv = {
  title: 'a table of text',
  holdsTokens: false,
  async write(path, [width = 0], _most, batches) {
    await writeFileAtomicBy(path, async (file) => {
      const write = (rows: readonly (readonly (string | number)[])[]): void => {
        writeWhole(file, Buffer.from(stringify([...rows], { record_delimiter: 'windows' })));
      };
      write([['name', ...Array.from({ length: width }, (_, i) => `f${i}`)]]);
      for await (const { names, values } of batches) {
        write(
          names.map((name, i) => [
            asPath(name),
            ...Array.from(values.subarray(i * width, (i + 1) * width), (value) => Number(value.toPrecision(DIGITS))),
          ]),
        );
      }
    });
    return [path];
  },
} as const satisfies FeatureWriter;

/** A spreadsheet would compute a name such as `=1.png`. `./=1.png` is the same file, and remains text. */
const asPath = (name: string): string => (/^[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/.test(name) ? `./${name}` : name);
