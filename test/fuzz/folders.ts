/**
 * Mutated results folders through `status`, `verify`, `report`, `plan` and `export`: no stack trace, no control character,
 * the right exit code, and all commands agree on which results there are.
 */
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { planSweep } from '../../src/cli/load-sweep.js';
import { loadSweep } from '../../src/runner/plan-sweep.js';
import { main } from '../../src/cli/main.js';
import { sha256 } from '../../src/common/canonical.js';
import { stream, type Random } from '../../src/common/random.js';
import { appendJsonLine, appendText, writeJson } from '../../src/store/files.js';
import { sweepPaths } from '../../src/store/layout.js';
import { keepPlan, listPlans } from '../../src/store/plans.js';
import { recordAttempt, storeOrigin } from '../../src/store/provenance.js';
import { leaveResult } from '../runner/support.js';
import { captured } from '../support/captured.js';
import { hostileJson, mutateBytes, mutateJson, pick } from './hostile.js';
import { faultsOf } from './judge.js';

const SPEC = join(process.cwd(), 'test/fuzz/folder.yaml');
const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452000000080000000808020000004b6d29dc', 'hex');

/** A folder as a sweep leaves it, with every kind of file. */
export async function makeFolder(folder: string): Promise<void> {
  const paths = sweepPaths(folder);
  const plan = await planSweep(loadSweep(SPEC, []));
  keepPlan(paths, plan, new Date('2026-01-01T00:00:00.000Z'));
  const diff = Buffer.from('a diff');
  const repository = { commit: 'a'.repeat(40), dirty: true, changed: ['x'], untracked: [], diff: sha256(diff) };
  const origin = { vitmim: { version: '0', repository, lockfile: null }, spec: null, command: ['vitmim', 'sweep'] };
  storeOrigin(paths, origin, new Map([[sha256(diff), diff]]));
  const machine = { node: 'v20', platform: 'linux', arch: 'x64', release: null, cpu: null };
  const device = { name: 'cpu', description: 'the processor', details: null };
  for (const stage of plan.stages) {
    const own = paths.stage(stage.id);
    writeJson(own.stage, stage);
    await leaveResult(stage, own);
    recordAttempt(own, { origin, machine, device });
    const time = '2026-01-01T00:00:00.000Z';
    writeJson(own.state, {
      ...{ status: 'done', attempt: 1, pid: 1, host: 'a', startedAt: time, endedAt: time, reason: null, cause: null },
    });
    for (let step = 1; step < 4; step++) {
      appendJsonLine(own.metrics, {
        step,
        epoch: step / 2,
        loss: 1 / step,
        learningRate: 0.1,
        imagesPerSecond: 9,
        time,
      });
    }
    appendText(own.log, 'a line\n');
    if (stage.config.kind === 'pretrain') writeFileSync(own.preview, PNG);
  }
}

/** Paths of all files, links and pipes below a folder, in a fixed order. */
function filesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => (entry.isDirectory() ? filesIn(join(folder, entry.name)) : [join(folder, entry.name)]));
}

/** Changes one file or folder. */
function mutate(folder: string, random: Random): void {
  const files = filesIn(folder);
  const file = pick(random, files);
  const regular = existsSync(file) && statSync(file).isFile();
  const replace = (make: () => void): void => {
    rmSync(file);
    make();
  };
  switch (random.integer(13)) {
    case 0:
    case 1:
      if (regular) writeFileSync(file, mutateBytes(readFileSync(file), random));
      return;
    case 2:
    case 3:
    case 4:
    case 5:
      if (regular) writeFileSync(file, mutateJson(readFileSync(file, 'utf8'), random));
      return;
    case 6: {
      const other = pick(random, files);
      if (other !== file) renameSync(other, file);
      return;
    }
    case 7:
      replace(() => {
        symlinkSync(pick(random, ['/etc/passwd', '/dev/zero', 'nowhere', '..', file, pick(random, files)]), file);
      });
      return;
    case 8:
      replace(() => execFileSync('mkfifo', [file]));
      return;
    case 9:
      replace(() => {
        mkdirSync(file);
      });
      return;
    case 10:
      if (random.integer(2) === 0) rmSync(file);
      else if (regular) truncateSync(file, pick(random, [0, 1, 1 << 20, 3 * 2 ** 30]));
      return;
    case 11: {
      const names = ['claim-9007199254740992.json', 'claim-1.json', 'claim-2.json', 'x', '.x', 'result.json.1.tmp'];
      const stages = join(folder, 'stages');
      const parents = [
        folder,
        stages,
        ...(existsSync(stages) ? readdirSync(stages).map((name) => join(stages, name)) : []),
      ];
      const parent = pick(random, parents);
      if (existsSync(parent) && statSync(parent).isDirectory()) {
        writeFileSync(join(parent, pick(random, names)), hostileJson(random), { flag: 'w' });
      }
      return;
    }
    default: {
      const stages = join(folder, 'stages');
      const target =
        random.integer(4) === 0 ? stages : join(stages, pick(random, ['0123456789abcdef', ...readdirSync(stages)]));
      const moved = `${folder}-moved-${random.uint32()}`;
      if (existsSync(target)) renameSync(target, moved);
      symlinkSync(moved, target);
    }
  }
}

/** What is wrong with how case number `seed` is answered; none: nothing. */
export async function fuzzFolder(seed: number, base: string, root: string): Promise<string[]> {
  const random = stream(17, 'folder', seed);
  const folder = join(root, 'results');
  const out = join(root, 'out');
  cpSync(base, folder, { recursive: true });
  for (let i = 0; i <= random.integer(4); i++) {
    try {
      mutate(folder, random);
    } catch {
      // An earlier change has taken away what this one needs.
    }
  }
  const run = async (...args: string[]) => {
    const { value: code, text, stdout } = await captured(() => main(args));
    return { args, code, text, stdout };
  };
  const planned = listPlans(sweepPaths(folder)).plans.length > 0;
  const formats = pick(random, ['md', 'md', 'md', 'csv,md,html,latex']);
  const status = await run('status', folder, '--json');
  const report = await run('report', folder, '--out', out, '--format', formats, '--json');
  const answers: [Awaited<ReturnType<typeof run>>, number[]][] = [
    [await run('status', folder), planned ? [0] : [2]],
    [status, planned ? [0] : [2]],
    [await run('verify', folder), planned ? [0, 1] : [2]],
    [await run('plan', SPEC, '--out', folder), [0]],
    [await run('export', folder, '--tensorboard', out), planned ? [0, 2] : [2]],
    // A plan that was changed may be ranked by several metrics.
    [report, planned ? [0, 1, 2] : [2]],
  ];
  const faults = answers.flatMap(([answer, allowed]) =>
    faultsOf(answer, allowed).map((fault) => `${answer.args[0]!}: ${fault}`),
  );
  if (!planned || report.code === 2) return faults;
  const { counts, stages } = JSON.parse(status.stdout) as { counts: Record<string, number>; stages: unknown[] };
  const { missing } = JSON.parse(report.stdout) as { missing: unknown[] };
  const agree = counts.done === stages.length - missing.length;
  return agree ? faults : [...faults, `status counts ${counts.done} done, report ${stages.length - missing.length}`];
}
