/** Threads: they sleep while idle, do not keep the process alive, and report a failure in one of them. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const OPEN = fileURLToPath(new URL('../../../src/backends/open.js', import.meta.url));
const preamble = (threads: number): string => `
  const tf = await import('@tensorflow/tfjs');
  const { openDevice } = await import(${JSON.stringify(OPEN)});
  const device = await openDevice('simd', { threads: ${threads} });
  // Enough for a chunk on each thread.
  const add = () => tf.tidy(() => tf.add(tf.ones([200_000]), tf.ones([200_000])).dataSync()[199_999]);
`;

/**
 * Runs a script in its own process. Only a deadlock should exceed the time limit: a busy machine may take some minutes.
 */
async function run(script: string, threads = 4): Promise<{ code: number; stdout: string; stderr: string }> {
  const args = ['--input-type=module', '--eval', preamble(threads) + script];
  try {
    return {
      code: 0,
      ...(await promisify(execFile)(process.execPath, args, { timeout: 600_000, cwd: process.cwd() })),
    };
  } catch (error) {
    return error as { code: number; stdout: string; stderr: string };
  }
}

it('lets the process end, whether the device is closed or not', async () => {
  expect(await run('console.log(add());')).toEqual({ code: 0, stdout: '2\n', stderr: '' });
  expect(await run('console.log(add()); device.close();')).toEqual({ code: 0, stdout: '2\n', stderr: '' });
});

it('lets an idle thread sleep until there is work', async () => {
  const { stdout } = await run(
    `
    // The main thread notifies the others of a job; their number that slept is the result.
    const { notify } = Atomics;
    let wake;
    Atomics.notify = (...place) => {
      wake ??= () => notify(...place);
      return notify(...place);
    };
    console.log(add());
    while (wake() === 0) await new Promise(setImmediate);
    console.log('a thread slept', add());
  `,
    2,
  );
  expect(stdout).toBe('2\na thread slept 2\n');
});

it('gives the same result every time', async () => {
  const { stdout } = await run(`
    let wrong = 0;
    for (let i = 0; i < 500; i++) wrong += add() === 2 ? 0 : 1;
    console.log(wrong);
  `);
  expect(stdout).toBe('0\n');
});

it('throws the failure of a thread', async () => {
  const { code, stderr } = await run(`
    // Beyond the end of the memory: every chunk traps, on any thread.
    tf.backend().run('fill', 8, { out: 4_200_000_000, total: 1e6, value: 1, size: 125_000 });
  `);
  expect(code).toBe(1);
  expect(stderr).toContain('memory access out of bounds');
});

it('works after a failure', async () => {
  const { stdout } = await run(`
    try {
      tf.backend().run('fill', 8, { out: 4_200_000_000, total: 1e6, value: 1, size: 125_000 });
    } catch {
      console.log('failed');
    }
    console.log(add());
  `);
  expect(stdout).toBe('failed\n2\n');
});
