/** Writes the exports of {@link EXPORT_CASES} for weights.py: `node dist/test/parity/write-weights.js FOLDER`. */
import { join } from 'node:path';
import { exportFiles } from '../../src/weights/export/files.js';
import { writeExport } from '../../src/weights/export/write.js';
import { EXPORT_CASES } from './weights-cases.js';

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('name the folder to write');
for (const { name, formats, source } of EXPORT_CASES) {
  for (const format of formats) {
    await writeExport(join(folder, `${name}-${format}`), exportFiles(format, source), 'A model card.\n');
  }
}
