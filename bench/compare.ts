/**
 * vitmim against PyTorch: bench/step.ts and bench/peers/torch_vit.py in turn, each run a fresh process on as many
 * threads, so that whatever else the machine does meets both alike. With --json one line for each work.
 *
 *   node dist/bench/compare.js [--device simd] [--rounds 5] [--steps 5] [--threads 2] [--python python3] [--json]
 *
 * The ratio is vitmim's images/s to those of float32 PyTorch in the same round; the rates and the ratio are medians
 * over the rounds. What PyTorch reaches under bfloat16 autocast stands beside them, from one step of one run: where the
 * processor has no bfloat16 instructions, a step takes some 20 times as long.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values: options } = parseArgs({
  options: {
    device: { type: 'string', default: 'simd' },
    rounds: { type: 'string', default: '5' },
    steps: { type: 'string', default: '5' },
    threads: { type: 'string', default: '2' },
    python: { type: 'string', default: 'python3' },
    json: { type: 'boolean', default: false },
  },
});

const STEP = fileURLToPath(new URL('step.js', import.meta.url));
const PEER = fileURLToPath(new URL('../../bench/peers/torch_vit.py', import.meta.url));

for (const work of ['P', 'F']) {
  const row = compare(work);
  console.log(options.json ? JSON.stringify(row) : describe(row));
}

/** Rates in images/s. */
interface Row {
  work: string;
  threads: number;
  /** vitmim's device, in words. */
  device: string;
  /** Version of PyTorch. */
  torch: string;
  vitmim: number;
  float32: number;
  bfloat16: number;
  /** vitmim ÷ float32: the median, and that of each round. */
  ratio: number;
  ratios: number[];
}

function compare(work: string): Row {
  const rounds = Array.from({ length: Number(options.rounds) }, () => ({
    vitmim: step(work),
    peer: peer(work, 'float32', options.steps),
  }));
  const ratios = rounds.map((round) => round.vitmim.imagesPerSecond / round.peer.imagesPerSecond);
  return {
    work,
    threads: Number(options.threads),
    device: rounds[0]!.vitmim.device,
    torch: rounds[0]!.peer.torch,
    vitmim: median(rounds.map((round) => round.vitmim.imagesPerSecond)),
    float32: median(rounds.map((round) => round.peer.imagesPerSecond)),
    bfloat16: peer(work, 'bfloat16', '1').imagesPerSecond,
    ratio: median(ratios),
    ratios,
  };
}

function step(work: string): { imagesPerSecond: number; device: string } {
  const args = ['--device', options.device, '--work', work, '--steps', options.steps];
  return run(process.execPath, [STEP, ...args]) as ReturnType<typeof step>;
}

function peer(work: string, precision: string, steps: string): { imagesPerSecond: number; torch: string } {
  const args = ['--work', work, '--precision', precision, '--steps', steps];
  return run(options.python, [PEER, ...args]) as ReturnType<typeof peer>;
}

function run(program: string, args: readonly string[]): unknown {
  const all = [...args, '--threads', options.threads, '--json'];
  return JSON.parse(execFileSync(program, all, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }));
}

/** Of an even number of values the mean of the two in the middle. */
function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2;
}

function describe({ work, device, torch, vitmim, float32, bfloat16, ratio, ratios }: Row): string {
  const rate = (value: number): string => value.toFixed(1).padStart(8);
  const range = `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`;
  return [
    `${work}: vitmim ÷ torch ${torch} float32 = ${ratio.toFixed(2)} (${range})`,
    `${rate(vitmim)} images/s  vitmim on ${device}`,
    `${rate(float32)} images/s  torch float32`,
    `${rate(bfloat16)} images/s  torch bfloat16 autocast`,
  ].join('\n');
}
