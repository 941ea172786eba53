/**
 * The cost of the runner itself, without training:
 *
 *   node dist/bench/runner.js [--stages 200] [--cells 10000] [--jobs 2] [--python python3] [--rounds 3] [--json]
 *
 * - planning: read, expand, resolve and identify a spec of `--cells` cells;
 * - overhead: wall time per stage of a sweep whose workers do nothing, compared with the same number of empty jobs
 *   through Hydra's joblib launcher with as many processes, in turn. A vitmim stage is a separate process (starting
 *   Node takes some 40 ms of the time) that is claimed, recorded and synced to disk; joblib reuses its processes;
 * - memory: the sweep's peak resident size with this number of stages and with four times as many;
 * - status: `vitmim status` on about as many finished stages as there are cells, of a sweep that has every figure;
 * - report: `vitmim report` on the same, charts and all, with its peak resident size.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildPlan } from '../src/spec/plan.js';
import { readSweep } from '../src/spec/sweep.js';
import type { Plan, StageConfig } from '../src/spec/stages.js';
import { sweepPaths } from '../src/store/layout.js';
import { median } from './numbers.js';

const { values: options } = parseArgs({
  options: {
    stages: { type: 'string', default: '200' },
    cells: { type: 'string', default: '10000' },
    jobs: { type: 'string', default: '2' },
    python: { type: 'string', default: 'python3' },
    rounds: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
  },
});

const BIN = fileURLToPath(new URL('../run/vitmim.js', import.meta.url));
const TRAINER = fileURLToPath(new URL('../../bench/fixtures/noop-trainer.mjs', import.meta.url));
const PEER = fileURLToPath(new URL('../../bench/peers/hydra_noop.py', import.meta.url));
/** The log of a pre-training. */
const METRICS = Array.from({ length: 500 }, (_, step) =>
  JSON.stringify({ step, epoch: step / 5, loss: 1, learningRate: 1e-3 * Math.sin(step / 160), imagesPerSecond: 100 }),
).join('\n');
const root = mkdtempSync(join(tmpdir(), 'vitmim-bench-'));

const stages = Number(options.stages);
const cells = Number(options.cells);
const rounds = Array.from({ length: Number(options.rounds) }, (_, round) => ({
  vitmim: sweep(stages, `few-${round}`),
  hydra: hydra(stages),
}));
const report = {
  planning: { cells, seconds: median(Array.from(rounds, planning)) },
  overhead: {
    stages,
    jobs: Number(options.jobs),
    millisecondsAStage: median(rounds.map(({ vitmim }) => (1000 * vitmim.seconds) / stages)),
    hydraMillisecondsAJob: median(rounds.map((round) => (1000 * round.hydra) / stages)),
    ratio: median(rounds.map((round) => round.vitmim.seconds / round.hydra)),
  },
  memory: {
    mebibytes: median(rounds.map(({ vitmim }) => vitmim.mebibytes)),
    atFourTimesTheStages: sweep(4 * stages, 'many').mebibytes,
  },
  ...finished(),
};
rmSync(root, { recursive: true });
if (options.json) console.log(JSON.stringify(report));
else console.dir(report, { depth: 3 });

function seconds(act: () => void): number {
  const began = performance.now();
  act();
  return (performance.now() - began) / 1000;
}

/** A spec of `count` stages without dependencies: fine-tunings from scratch that differ in their seeds. */
function specOf(count: number): string {
  const seeds = Array.from({ length: count }, (_, seed) => seed).join(', ');
  return `name: bench
job: { data: { name: shapes, imageSize: 16, trainImages: 40, testImages: 20 } }
grid: { objective: [scratch], seed: [${seeds}] }
`;
}

function planOf(spec: string): Plan {
  return buildPlan(readSweep(spec, { file: 'bench.yaml', defaultName: 'bench' }), () => 'fingerprint');
}

function planning(): number {
  return seconds(() => planOf(specOf(cells)));
}

function sweep(count: number, name: string): { seconds: number; mebibytes: number } {
  const spec = join(root, `${name}.yaml`);
  writeFileSync(spec, specOf(count));
  return run(['sweep', spec, '--out', join(root, name), '--device', 'cpu', '--trainer', TRAINER, '-j', options.jobs]);
}

/** Wall time of a command, and its peak resident size. */
function run(args: readonly string[]): { seconds: number; mebibytes: number } {
  const peak = join(root, 'peak.txt');
  const atExit = `import { writeFileSync } from 'node:fs';
    if (process.argv[2] === ${JSON.stringify(args[0])})
      process.on('exit', () => writeFileSync(${JSON.stringify(peak)}, String(process.resourceUsage().maxRSS)));`;
  const hook = `data:text/javascript,${encodeURIComponent(atExit)}`;
  const took = seconds(() => {
    execFileSync(process.execPath, ['--import', hook, BIN, ...args], { stdio: 'ignore' });
  });
  return { seconds: took, mebibytes: Number(readFileSync(peak, 'utf8')) / 1024 };
}

function hydra(count: number): number {
  const args = ['--multirun', 'hydra/launcher=joblib', `hydra.launcher.n_jobs=${options.jobs}`, `seed=range(${count})`];
  return seconds(() => {
    execFileSync(options.python, [PEER, ...args], { stdio: 'ignore', cwd: root });
  });
}

/**
 * A spec of about `count` stages with every figure of a report: all degradations at ten learning rates, and several
 * seeds.
 */
function crossedSpecOf(count: number): string {
  const [rates, seeds] = [10, Math.ceil(count / (24 * 4 * 10))].map((length) => Array.from({ length }, (_, i) => i));
  return `name: bench
job:
  data: { name: shapes, imageSize: 16, trainImages: 40, testImages: 20 }
  evaluate: [finetune, linear, knn]
grid:
  objective: [identity]
  maskRatio: [0, 0.75]
  misalignment: [none, zoomed-in, zoomed-out, distorted]
  stylePreservation: [preserved, blurred, decolorized]
  pretrain.baseLearningRate: [${rates!.map((i) => `${i + 1}.0e-4`).join(', ')}]
  seed: [${seeds!.join(', ')}]
`;
}

/** `vitmim status` and `vitmim report` on a folder in which every stage is done. */
function finished(): Record<'status' | 'report', { stages: number; seconds: number; mebibytes: number }> {
  const folder = join(root, 'finished');
  const plan = planOf(crossedSpecOf(cells));
  const paths = sweepPaths(folder);
  mkdirSync(folder, { recursive: true });
  writeFileSync(paths.plan, JSON.stringify(plan));
  const time = new Date().toISOString();
  const state = { status: 'done', attempt: 1, pid: 1, host: 'bench', startedAt: time, endedAt: time, reason: null };
  plan.stages.forEach((stage, i) => {
    const own = paths.stage(stage.id);
    mkdirSync(own.folder, { recursive: true });
    writeFileSync(own.stage, JSON.stringify(stage));
    writeFileSync(own.state, JSON.stringify(state));
    writeFileSync(own.result, JSON.stringify(numbersOf(stage.config.kind, i)));
    if (stage.config.kind === 'pretrain') writeFileSync(own.metrics, METRICS);
  });
  const measure = (command: string) => {
    const runs = rounds.map(() => run([command, folder]));
    return {
      stages: plan.stages.length,
      seconds: median(runs.map((one) => one.seconds)),
      mebibytes: median(runs.map(({ mebibytes }) => mebibytes)),
    };
  };
  return { status: measure('status'), report: measure('report') };
}

function numbersOf(kind: StageConfig['kind'], i: number): object {
  const work = { kind, epochs: 100, steps: 500, imagesPerSecond: 100, seconds: 1, corruptImages: [] };
  if (kind === 'pretrain') {
    const losses = Array.from({ length: 100 }, (_, epoch) => 1 / (1 + epoch / 5) + ((31 * i + 17 * epoch) % 97) / 970);
    return { ...work, loss: losses.at(-1), losses, zeroLoss: 0.93, trainImages: 40 };
  }
  const accuracy = { accuracy: 50 + (i % 7), top5: 90, testImages: 20, trainImages: 40 };
  return { ...work, ...accuracy, ...(kind === 'finetune' ? { loss: 1 } : {}) };
}
