/** Ends a process that cannot end by itself. */
import { createRequire } from 'node:module';

/**
 * Ends the process at once, without waiting for its threads: Node's own exit waits for a thread that the file system does
 * not answer. What was written to the standard streams has been written by then, since they are files, pipes or terminals.
 */
export function endProcess(code: number): never {
  try {
    const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
    const library = koffi.load(process.platform === 'win32' ? 'msvcrt.dll' : null);
    library.func('_exit', 'void', ['int'])(code);
  } catch {
    // koffi has no build for this platform: the exit code is lost.
  }
  process.kill(process.pid, 'SIGKILL');
  throw new Error('unreachable: the process has ended');
}
