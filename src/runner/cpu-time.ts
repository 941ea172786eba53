/** How long a process has computed, as the kernel counts it. */
import { readFileSync } from 'node:fs';

/** /proc reports times in hundredths of a second on all Linux systems. */
const TICKS_PER_SECOND = 100;

/** Processor seconds of all threads of a process so far; null if the system does not report it, or it is gone. */
export function cpuSeconds(pid: number | null): number | null {
  if (pid === null) return null;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name of the program, in brackets, may contain spaces: utime and stime are the 12th and 13th field after it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  } catch {
    return null;
  }
}
