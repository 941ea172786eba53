/** The folder of downloaded data sets. */
import { homedir } from 'node:os';
import { join } from 'node:path';

/** `$VITMIM_DATA`, or `.cache/vitmim` in the user's home folder. */
export function dataHome(environment: NodeJS.ProcessEnv = process.env): string {
  const { VITMIM_DATA: chosen } = environment;
  return chosen !== undefined && chosen !== '' ? chosen : join(homedir(), '.cache', 'vitmim');
}
