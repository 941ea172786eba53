/** `.parquet`: a row for each image, with its name and a list of its features. */
import type { SchemaElement } from 'hyparquet-writer';
import { writeFileAtomicBy, writeWhole } from '../../store/files.js';
import type { FeatureWriter } from './writer.js';

const SCHEMA: SchemaElement[] = [
  { name: 'root', num_children: 2 },
  { name: 'name', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' },
  // The three levels of a list that readers of the format expect.
  { name: 'features', converted_type: 'LIST', repetition_type: 'REQUIRED', num_children: 1 },
  { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
  { name: 'element', type: 'FLOAT', repetition_type: 'REQUIRED' },
];

/** Images in a row group, which is in memory as a whole. */
const GROUP = 1024;

export const parquet = {
  title: 'a Parquet file',
  holdsTokens: false,
  async write(path, [width = 0], _most, batches) {
    const { ByteWriter, ParquetWriter } = await import('hyparquet-writer'); // every command loads the formats
    await writeFileAtomicBy(path, async (file) => {
      const bytes = new ByteWriter();
      const flush = (): void => {
        writeWhole(file, bytes.getBytes());
        bytes.index = 0;
      };
      const writer = new ParquetWriter({ writer: Object.assign(bytes, { flush }), schema: SCHEMA });
      let [names, rows]: [string[], number[][]] = [[], []];
      const writeGroup = async (): Promise<void> => {
        const columnData = [
          { name: 'name', data: names },
          { name: 'features', data: rows },
        ];
        await writer.write({ columnData, rowGroupSize: GROUP });
        [names, rows] = [[], []];
      };
      for await (const batch of batches) {
        names.push(...batch.names);
        batch.names.forEach((_, i) => rows.push(Array.from(batch.values.subarray(i * width, (i + 1) * width))));
        if (names.length >= GROUP) await writeGroup();
      }
      if (names.length > 0) await writeGroup();
      await writer.finish();
      flush();
    });
    return [path];
  },
} as const satisfies FeatureWriter;
