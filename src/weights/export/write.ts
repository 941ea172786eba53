/** Writes the files of an export into a folder. */
import { join } from 'node:path';
import { writeFileAtomic, writeJson } from '../../store/files.js';
import { writeSafetensors } from '../../store/safetensors.js';
import type { TensorsByName } from '../tensors.js';

/**
 * Writes weights, configurations and the model card, each completely or not at all.
 *
 * @returns the files.
 */
export async function writeExport(
  folder: string,
  files: {
    weights?: ReadonlyMap<string, TensorsByName>;
    /** The content of further files, in pieces. */
    bytes?: ReadonlyMap<string, readonly Uint8Array[]>;
    json: Readonly<Record<string, object>>;
  },
  card: string,
): Promise<string[]> {
  const written: string[] = [];
  const at = (name: string): string => {
    const path = join(folder, name);
    written.push(path);
    return path;
  };
  for (const [name, tensors] of files.weights ?? []) {
    const sources = [...tensors].map(([key, { shape, data }]) => [key, { shape, read: () => data }] as const);
    // transformers refuses files without this entry.
    await writeSafetensors(at(name), new Map(sources), { format: 'pt' });
  }
  for (const [name, pieces] of files.bytes ?? []) writeFileAtomic(at(name), pieces);
  for (const [name, value] of Object.entries(files.json)) writeJson(at(name), value);
  writeFileAtomic(at('README.md'), card);
  return written;
}
