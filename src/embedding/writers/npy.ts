/** `.npy`: an array [images, …], with the names of the images in a JSON file beside it. */
import { writeSync } from 'node:fs';
import { littleEndian, npyHeader } from '../../objectives/npy.js';
import { writeFileAtomicBy, writeJson, writeWhole } from '../../store/files.js';
import type { FeatureWriter } from './writer.js';

export const npy = {
  title: 'a float32 array of NumPy',
  holdsTokens: true,
  async write(path, shape, most, batches) {
    const names: string[] = [];
    await writeFileAtomicBy(path, async (file) => {
      // How many images can be decoded is known at the end.
      const header = npyHeader('<f4', [most, ...shape]);
      writeWhole(file, header);
      for await (const batch of batches) {
        names.push(...batch.names);
        writeWhole(file, littleEndian(batch.values));
      }
      writeSync(file, npyHeader('<f4', [names.length, ...shape], header.length), 0, header.length, 0);
    });
    const beside = namesFile(path);
    writeJson(beside, names);
    return [path, beside];
  },
} as const satisfies FeatureWriter;

/** `features.npy` → `features.names.json` */
export const namesFile = (path: string): string => path.replace(/\.npy$/i, '.names.json');
