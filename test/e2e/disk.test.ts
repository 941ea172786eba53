/** A results folder on a disk that is full, or that may not be written. Needs a file system of its own: root on Linux. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Rig } from '../support/rig.js';
import { start, temporaryFolder, until, vitmim } from '../support/cli.js';

const folder = temporaryFolder();
const disk = join(folder.path, 'disk');

/** Mounts two MiB of memory, or says that this machine does not let it. */
function mount(): boolean {
  mkdirSync(disk);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', disk], { stdio: 'ignore' });
    return true;
  } catch {
    if (process.env.VITMIM_REQUIRE_MOUNT) throw new Error('a file system must be mountable here');
    return false;
  }
}

const mounted = mount();
const onDisk = mounted ? test : test.skip;
afterAll(() => {
  if (mounted) execFileSync('umount', ['-l', disk]);
  folder.remove();
});

const ballast = join(disk, 'ballast');
const fill = (): void => {
  // dd ends with an error when the disk is full, which is what it is for here.
  try {
    execFileSync('dd', ['if=/dev/zero', `of=${ballast}`, 'bs=1k'], { stdio: 'ignore' });
  } catch {
    return;
  }
  throw new Error('the disk does not fill');
};

onDisk('fills under a sweep: it stops, says so, loses nothing, and goes on when there is room', async () => {
  const rig = new Rig({ grid: '{ objective: [scratch, masked, zoomed-in], seed: [0, 1] }', steps: 10, stepMs: 30 });
  const out = join(disk, 'fake');
  const running = rig.sweep(['--jobs', '1'], out);
  await until('a stage has ended', () => rig.notes().some(({ what }) => what === 'end'));
  fill();
  const { code, stderr } = await running.finished;
  expect(code).toBe(1);
  expect(stderr).toMatch(/disk-full|No space left|ENOSPC/);
  expect(stderr).not.toContain('a bug');
  rmSync(ballast);
  expect((await rig.sweep([], out).finished).code).toBe(0);
  expect(rig.repeatedStages()).toEqual([]);
  rig.remove();
});

onDisk('fills under a training: its checkpoint before stays whole, and it resumes to the same weights', async () => {
  const spec = join(folder.path, 'disk.yaml');
  writeFileSync(
    spec,
    `job:
  data: { name: shapes, imageSize: 16, trainImages: 40, testImages: 20 }
  model: { dim: 8, depth: 1, heads: 2, decoder: { dim: 8, depth: 1, heads: 2 } }
  pretrain: { epochs: 100, batchSize: 8 }
  evaluate: [knn]
grid: { objective: [masked] }
`,
  );
  const args = ['sweep', spec, '--out', join(disk, 'real'), '--device', 'simd', '--jobs', '1'];
  const running = start([...args, '--json']);
  await new Promise<void>((resolve) => {
    running.child.stdout!.on('data', (chunk: Buffer) => {
      if (chunk.toString().includes('"type":"stage-progress"')) resolve();
    });
  });
  fill();
  const { code, stdout } = await running.finished;
  expect({ code, cause: /"cause":"([^"]*)"/.exec(stdout)?.[1] }).toEqual({ code: 1, cause: 'disk-full' });
  rmSync(ballast);
  expect((await vitmim(args)).code).toBe(0);
});

onDisk('that is read-only is refused before anything runs', async () => {
  execFileSync('mount', ['-o', 'remount,ro', disk]);
  const rig = new Rig({ grid: '{ objective: [scratch] }' });
  const { code, stderr } = await rig.sweep([], join(disk, 'readonly')).finished;
  execFileSync('mount', ['-o', 'remount,rw', disk]);
  expect(code).toBe(2);
  expect(stderr).toContain(`cannot write the results folder ${join(disk, 'readonly')}`);
  expect(rig.notes()).toEqual([]);
  rig.remove();
});
