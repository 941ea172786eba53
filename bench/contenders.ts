/**
 * Who races in bench/compare.ts, and how each is run: vitmim in every precision asked for, and PyTorch as it is used on
 * that device. Each run is a process of its own, which ends by printing one object.
 */
import { spawnSync } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UsageError } from '../src/common/errors.js';
import type { Contender, Measurement, Outcome } from './summary.js';
import { PRECISIONS } from './works.js';

/** Beside this file, in dist/bench as in a packed bundle. */
const STEP = fileURLToPath(new URL(`step${extname(import.meta.url)}`, import.meta.url));
const PEER = fileURLToPath(new URL('../../bench/peers/torch_vit.py', import.meta.url));

export interface RaceOptions {
  /** vitmim's. */
  device: string;
  torchDevice: string;
  /** Of vitmim, with commas between; `all`: each that there is. */
  precision: string;
  python: string;
  steps: string;
  /** Passed on to both where given. */
  batch: string | undefined;
  inFlight: string | undefined;
  threads: string;
  /** TFLOP/s by precision: `float32=67,bfloat16=989`. */
  peak: string | undefined;
}

/** A contender with its command. */
export interface Entrant extends Contender {
  program: string;
  args: readonly string[];
}

/** @throws UsageError where an option cannot be understood. */
export function entrants(options: RaceOptions): Entrant[] {
  const peaks = peaksOf(options.peak);
  const common = (precision: string, steps = options.steps): string[] => [
    ...['--precision', precision, '--steps', steps, '--threads', options.threads, '--json'],
    ...given('--batch', options.batch),
    ...given('--in-flight', options.inFlight),
    ...given('--peak', peaks.get(precision)),
  ];
  const precisions = options.precision === 'all' ? PRECISIONS : options.precision.split(',');
  const ours = precisions.map((precision) => ({
    name: `vitmim ${precision}`,
    ours: true,
    inRatios: true,
    program: process.execPath,
    args: [STEP, '--device', options.device, ...common(precision)],
  }));
  const torch = (name: string, args: readonly string[], inRatios = true): Entrant => ({
    name: `torch ${name}`,
    ours: false,
    inRatios,
    program: options.python,
    args: [PEER, '--device', options.torchDevice, ...args],
  });
  switch (options.torchDevice) {
    case 'cpu':
      // Where the processor has no bfloat16 instructions, a step takes some 20 times as long: one step of one run.
      return [...ours, torch('float32', common('float32')), torch('bfloat16', common('bfloat16', '1'), false)];
    case 'cuda':
      return [
        ...ours,
        torch('bfloat16', common('bfloat16')),
        torch('float32', common('float32')),
        // Last, since compiling takes longest: where time runs out, it is this that is missing.
        torch('bfloat16 compiled', [...common('bfloat16'), '--compile']),
      ];
    default:
      throw new UsageError(`--torch-device ${options.torchDevice}: expected cpu or cuda`);
  }
}

const given = (option: string, value: string | undefined): string[] => (value === undefined ? [] : [option, value]);

/** @throws UsageError unless the text is precision=number, with commas between. */
export function peaksOf(text: string | undefined): Map<string, string> {
  return new Map(
    (text?.split(',') ?? []).map((pair) => {
      const [precision, peak] = pair.split('=');
      if (!precision || !(Number(peak) > 0)) {
        throw new UsageError(`--peak ${pair}: expected a precision and its TFLOP/s, as in float32=67,bfloat16=989`);
      }
      return [precision, peak!];
    }),
  );
}

/**
 * Runs one and waits for it.
 *
 * @param milliseconds After which it is ended, and has failed.
 */
export function run({ program, args }: Entrant, work: string, milliseconds: number | undefined): Outcome {
  const { status, signal, stdout, stderr, error } = spawnSync(program, [...args, '--work', work], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: milliseconds,
  });
  if (status === 0) return JSON.parse(stdout) as Measurement;
  process.stderr.write(stderr);
  return { failure: error?.message ?? lastWords(stderr) ?? `it ended with ${signal ?? status ?? 'nothing'}` };
}

/** The line of an error's name and message, which Node prints above its stack and Python below. */
function lastWords(stderr: string): string | undefined {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  return lines.findLast((line) => /^(\w+\.)*\w*Error\b/.test(line)) ?? lines.at(-1);
}
