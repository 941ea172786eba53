/**
 * A seeded sample of mutated specs and results folders; `VITMIM_FUZZ=full` runs 2,000 specs and 1,000 folders, five minutes
 * of CPU. Each case must end within ten seconds of CPU, without a stack trace, with the right exit code. A command that waits
 * for ever, as for the other end of a pipe, uses no CPU: then no line comes any more, and the process is ended here.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const FUZZ = fileURLToPath(new URL('./fuzz.js', import.meta.url));
const FULL = process.env.VITMIM_FUZZ === 'full';
/** Far above the slowest case on a loaded machine. */
const SILENCE_MS = 120_000;
const MOST_SECONDS = 10;

interface Case {
  seed: number;
  seconds?: number;
  faults?: string[];
}

/** Runs cases, and returns what is wrong, one line for each. */
async function fuzz(kind: 'specs' | 'folders', count: number): Promise<{ faults: string[]; cases: number }> {
  const child = spawn(process.execPath, [FUZZ, kind, '0', String(count)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const faults: string[] = [];
  let [cases, last] = [0, -1];
  let watchdog: NodeJS.Timeout | undefined;
  const wait = (): void => {
    clearTimeout(watchdog);
    watchdog = setTimeout(() => {
      faults.push(`case ${last} hangs`);
      child.kill('SIGKILL');
    }, SILENCE_MS);
  };
  wait();
  for await (const line of createInterface({ input: child.stdout })) {
    wait();
    const one = JSON.parse(line) as Case;
    last = one.seed;
    if (one.faults === undefined) continue;
    cases += 1;
    faults.push(...one.faults.map((fault) => `case ${one.seed}: ${fault}`));
    if (one.seconds! > MOST_SECONDS) faults.push(`case ${one.seed}: ${one.seconds!} s of CPU`);
  }
  clearTimeout(watchdog);
  return { faults, cases };
}

test('mutated specs are plans or messages', async () => {
  const count = FULL ? 2000 : 400;
  expect(await fuzz('specs', count)).toEqual({ faults: [], cases: count });
});

test('mutated results folders never break a command, and all commands agree on what they hold', async () => {
  const count = FULL ? 1000 : 80;
  expect(await fuzz('folders', count)).toEqual({ faults: [], cases: count });
});
