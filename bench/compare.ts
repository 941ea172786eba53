/**
 * vitmim against PyTorch: bench/step.ts and bench/peers/torch_vit.py in turn, each run in a new process, so that other
 * load of the machine affects both equally.
 *
 *   node dist/bench/compare.js [--device simd] [--works P,F] [--threads 2]
 *   node dist/bench/compare.js --works P,F --precision bfloat16
 *   node dist/bench/compare.js --device webgpu --torch-device cuda --works G1,G2,G3P,G3F --precision all
 *
 *   --rounds N       rounds of each work (5); medians are compared
 *   --minutes N      time limit: no round begins that would exceed it, and a process that exceeds it fails
 *   --steps, --in-flight, --batch, --threads   options of bench/step.ts, for both
 *   --precision P    vitmim's precision: float32, float16, bfloat16 (float32 then runs too, to compare) or all of the device
 *   --peak LIST      TFLOP/s of the device by precision, for the utilisation: float32=67,bfloat16=989
 *   --python PROGRAM a Python with PyTorch (python3)
 *   --out FILE       the rows as JSON, written again after every run
 *   --json           prints one row a line on standard output
 *   --precisions     only prints the precisions of --device
 *
 * On cuda PyTorch runs in float32, in bfloat16 (autocast, fused attention, fused AdamW) and in compiled bfloat16; on
 * the CPU in float32, and in bfloat16: in every round if vitmim does, else for one step of one run. The exit code is 1
 * if any run failed.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { entrants, run, type Entrant } from './contenders.js';
import { count, optionalRate } from './numbers.js';
import { describeRow, summarise, type Outcome, type Round, type Row } from './summary.js';
import { precisionsOf, workNamed } from './works.js';

const { values: options } = parseArgs({
  options: {
    device: { type: 'string', default: 'simd' },
    'torch-device': { type: 'string', default: 'cpu' },
    works: { type: 'string', default: 'P,F' },
    precision: { type: 'string', default: 'float32' },
    rounds: { type: 'string', default: '5' },
    minutes: { type: 'string' },
    steps: { type: 'string', default: '5' },
    'in-flight': { type: 'string' },
    batch: { type: 'string' },
    threads: { type: 'string', default: '2' },
    peak: { type: 'string' },
    python: { type: 'string', default: 'python3' },
    out: { type: 'string' },
    json: { type: 'boolean', default: false },
    precisions: { type: 'boolean', default: false },
  },
});

if (options.precisions) {
  console.log(precisionsOf(options.device).join(' '));
  process.exit();
}

const works = options.works.split(',');
works.forEach(workNamed); // an unknown name is an error before anything runs
const wanted = count('--rounds', options.rounds);
const limit = optionalRate('--minutes', options.minutes, 60_000);
const contenders = entrants({
  ...options,
  torchDevice: options['torch-device'],
  inFlight: options['in-flight'],
  batch: options.batch,
  peak: options.peak,
});

const began = performance.now();
const left = (): number | undefined =>
  limit === null ? undefined : Math.max(1, Math.ceil(limit - (performance.now() - began)));
const rounds = new Map<string, Round[]>(works.map((work) => [work, []]));
let longest = 0;
for (let round = 0; round < wanted && longest < (left() ?? Infinity); round++) {
  const roundBegan = performance.now();
  for (const work of works) race(work, rounds.get(work)!);
  longest = Math.max(longest, performance.now() - roundBegan);
}
const rows = standings();
for (const row of rows) console.log(options.json ? JSON.stringify(row) : describeRow(row).join('\n'));
if (rows.some((row) => row.standings.some(({ failure }) => failure !== null))) process.exitCode = 1;

/** Adds one more round of a work. A contender that failed in an earlier round does not run again. */
function race(work: string, its: Round[]): void {
  const racing = contenders.filter((contender) => takesPart(contender, its));
  const outcomes = new Map<string, Outcome>();
  its.push(outcomes); // added before it is complete, so that each file written during the round contains it
  for (const contender of racing) {
    const outcome = run(contender, work, left());
    outcomes.set(contender.name, outcome);
    const outcomeText = 'failure' in outcome ? outcome.failure : `${outcome.imagesPerSecond.toFixed(1)} images/s`;
    console.error(`${work} ${its.length}/${wanted} ${contender.name}: ${outcomeText}`);
    write();
  }
}

function takesPart({ name, inRatios }: Entrant, before: readonly Round[]): boolean {
  const failed = before.some((round) => {
    const outcome = round.get(name);
    return outcome !== undefined && 'failure' in outcome;
  });
  return !failed && (inRatios || before.length === 0);
}

function standings(): Row[] {
  return works.map((work) => summarise(work, contenders, rounds.get(work)!));
}

/** Replaces the file atomically, so that it is complete at any time. */
function write(): void {
  if (options.out === undefined) return;
  writeFileSync(`${options.out}.next`, `${JSON.stringify(standings(), null, 2)}\n`);
  renameSync(`${options.out}.next`, options.out);
}
