/**
 * The contenders of bench/compare.ts, and the command of each: vitmim in every requested precision, and PyTorch in its
 * usual settings for the device. Each run is a separate process, which prints one object at its end.
 */
import { spawnSync } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UsageError } from '../src/common/errors.js';
import type { Contender, Measurement, Outcome } from './summary.js';
import { precisionsOf } from './works.js';

/** Beside this file, in dist/bench and in a packed bundle. */
const STEP = fileURLToPath(new URL(`step${extname(import.meta.url)}`, import.meta.url));
const PEER = fileURLToPath(new URL('../../bench/peers/torch_vit.py', import.meta.url));

export interface RaceOptions {
  /** vitmim's device. */
  device: string;
  torchDevice: string;
  /** vitmim's precisions, separated by commas; `all`: every one of the device. bfloat16 also runs float32, to compare. */
  precision: string;
  python: string;
  steps: string;
  /** Passed on to both if given. */
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

/** @throws UsageError if an option is invalid. */
export function entrants(options: RaceOptions): Entrant[] {
  const peaks = peaksOf(options.peak);
  const common = (precision: string, steps = options.steps): string[] => [
    ...['--precision', precision, '--steps', steps, '--threads', options.threads, '--json'],
    ...given('--batch', options.batch),
    ...given('--in-flight', options.inFlight),
    ...given('--peak', peaks.get(precision)),
  ];
  const wanted = options.precision === 'all' ? precisionsOf(options.device) : options.precision.split(',');
  const inBfloat16 = wanted.includes('bfloat16');
  const precisions = new Set(inBfloat16 ? ['float32', ...wanted] : wanted);
  const ours = [...precisions].map((precision) => ({
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
      return [
        ...ours,
        torch('float32', common('float32'), wanted.includes('float32')),
        // On a processor without bfloat16 instructions a step takes some 20 times as long. Unless it is the peer, it runs
        // one step, once.
        torch('bfloat16', common('bfloat16', inBfloat16 ? options.steps : '1'), inBfloat16),
      ];
    case 'cuda':
      return [
        ...ours,
        torch('bfloat16', common('bfloat16')),
        torch('float32', common('float32')),
        // Last, since compiling takes longest: if time runs out, only this one is missing.
        torch('bfloat16 compiled', [...common('bfloat16'), '--compile']),
      ];
    default:
      throw new UsageError(`--torch-device ${options.torchDevice}: expected cpu or cuda`);
  }
}

const given = (option: string, value: string | undefined): string[] => (value === undefined ? [] : [option, value]);

/** @throws UsageError unless the text is a list of precision=number, separated by commas. */
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
 * Runs a contender and waits for it.
 *
 * @param milliseconds Time limit; after it the process is ended, and has failed.
 */
export function run({ program, args }: Entrant, work: string, milliseconds: number | undefined): Outcome {
  const { status, signal, stdout, stderr, error } = spawnSync(program, [...args, '--work', work], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: milliseconds,
  });
  if (status === 0) return JSON.parse(stdout) as Measurement;
  process.stderr.write(stderr);
  return {
    failure: error?.message ?? lastWords(stderr) ?? `the process ended with ${signal ?? status ?? 'no exit code'}`,
  };
}

/** The line with an error's name and message: Node prints it above the stack, Python below. */
function lastWords(stderr: string): string | undefined {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  return lines.findLast((line) => /^(\w+\.)*\w*Error\b/.test(line)) ?? lines.at(-1);
}
