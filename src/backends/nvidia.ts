/** The NVIDIA kernel driver's report on itself and its GPUs, which it publishes as files on Linux. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const DRIVER = '/proc/driver/nvidia';

/**
 * The GPUs and the driver's version; null if the system does not report them.
 *
 * @param folder The folder of the driver's files.
 */
export function nvidia(folder = DRIVER): { adapter: string | null; driver: string | null } {
  // "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15 UTC 2023"
  const version = /^NVRM version:.*?\s(\d+(?:\.\d+)+)\s/m.exec(read(join(folder, 'version')))?.[1];
  const models = list(join(folder, 'gpus')).flatMap((gpu) => {
    const model = /^Model:\s*(.+?)\s*$/m.exec(read(join(folder, 'gpus', gpu, 'information')))?.[1];
    return model === undefined ? [] : [model];
  });
  return {
    adapter: models.length === 0 ? null : models.join(', '),
    driver: version === undefined ? null : `NVIDIA ${version}`,
  };
}

/** Empty if there is no such file. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path).sort();
  } catch {
    return [];
  }
}
