/** The folder of files that only save time. They may be deleted at any time. */
import { homedir } from 'node:os';
import { join } from 'node:path';

/** `vitmim/NAME` in `$XDG_CACHE_HOME`, or in `.cache` in the user's home folder. */
export function cachePath(name: string, { XDG_CACHE_HOME: chosen }: NodeJS.ProcessEnv = process.env): string {
  return join(chosen !== undefined && chosen !== '' ? chosen : join(homedir(), '.cache'), 'vitmim', name);
}
