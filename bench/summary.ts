/** Medians and ratios of the rounds of a comparison, and their text. Pure functions; contenders.ts runs the rounds. */
import { median } from './numbers.js';

export interface Contender {
  name: string;
  /** True for vitmim, false for PyTorch. */
  ours: boolean;
  /** Whether it runs in every round and is compared with the others; if not, it runs only in the first round. */
  inRatios: boolean;
}

/** The output of bench/step.ts and bench/peers/torch_vit.py, as far as it is compared. */
export interface Measurement {
  device: string;
  /** Version of PyTorch. */
  torch?: string;
  batch: number;
  inFlight: number;
  imagesPerSecond: number;
  teraflops: number;
  utilisation: number | null;
  peakMemoryBytes: number | null;
  firstStepSeconds: number;
}

export type Outcome = Measurement | { failure: string };

/** By the name of the contender. */
export type Round = ReadonlyMap<string, Outcome>;

export interface Standing {
  name: string;
  device: string | null;
  torch: string | null;
  batch: number | null;
  inFlight: number | null;
  /** Medians over the rounds; null if it never succeeded. */
  imagesPerSecond: number | null;
  teraflops: number | null;
  utilisation: number | null;
  peakMemoryBytes: number | null;
  firstStepSeconds: number | null;
  /** Images/s of each round. */
  rates: number[];
  failure: string | null;
}

/** Images/s of ours ÷ images/s of theirs, or of ours in float32, in the same round: the median, and each round. */
export interface Ratio {
  ours: string;
  theirs: string;
  median: number;
  rounds: number[];
}

export interface Row {
  work: string;
  standings: Standing[];
  ratios: Ratio[];
}

export function summarise(work: string, contenders: readonly Contender[], rounds: readonly Round[]): Row {
  const [ours, theirs] = [true, false].map((side) => contenders.filter((one) => one.ours === side && one.inRatios));
  return {
    work,
    standings: contenders.map(({ name }) => standing(name, rounds)),
    ratios: ours!.flatMap((a) => [...theirs!, ...baseOf(a, ours!)].flatMap((b) => ratio(a.name, b.name, rounds))),
  };
}

/** vitmim in float32, with which its other precisions are compared. */
const baseOf = ({ name }: Contender, ours: readonly Contender[]): Contender[] =>
  ours.filter((one) => one.name === 'vitmim float32' && one.name !== name);

const measured = (outcome: Outcome | undefined): outcome is Measurement =>
  outcome !== undefined && !('failure' in outcome);

function standing(name: string, rounds: readonly Round[]): Standing {
  const outcomes = rounds.map((round) => round.get(name));
  const all = outcomes.filter(measured);
  const middle = (values: readonly (number | null)[]): number | null =>
    values.length === 0 || values.includes(null) ? null : median(values as number[]);
  return {
    name,
    device: all[0]?.device ?? null,
    torch: all[0]?.torch ?? null,
    batch: all[0]?.batch ?? null,
    inFlight: all[0]?.inFlight ?? null,
    imagesPerSecond: middle(all.map((one) => one.imagesPerSecond)),
    teraflops: middle(all.map((one) => one.teraflops)),
    utilisation: middle(all.map((one) => one.utilisation)),
    peakMemoryBytes: middle(all.map((one) => one.peakMemoryBytes)),
    firstStepSeconds: middle(all.map((one) => one.firstStepSeconds)),
    rates: all.map((one) => one.imagesPerSecond),
    failure: outcomes.flatMap((outcome) => (outcome && 'failure' in outcome ? [outcome.failure] : []))[0] ?? null,
  };
}

/** Empty if the two never succeeded in the same round. */
function ratio(ours: string, theirs: string, rounds: readonly Round[]): Ratio[] {
  const each = rounds.flatMap((round) => {
    const [a, b] = [round.get(ours), round.get(theirs)];
    return measured(a) && measured(b) ? [a.imagesPerSecond / b.imagesPerSecond] : [];
  });
  return each.length === 0 ? [] : [{ ours, theirs, median: median(each), rounds: each }];
}

/** The lines of text for a row. */
export function describeRow({ work, standings, ratios }: Row): string[] {
  const width = Math.max(...standings.map(({ name }) => name.length));
  const [{ batch, inFlight } = { batch: null, inFlight: null }] = standings.filter((one) => one.batch !== null);
  return [
    `${work}${batch === null ? '' : `, batch ${batch}, ${inFlight ?? '?'} in flight`}`,
    ...standings.map((one) => `  ${one.name.padEnd(width)}  ${describeStanding(one)}`),
    ...ratios.map(({ ours, theirs, median: middle, rounds }) => {
      const range = `${Math.min(...rounds).toFixed(2)} to ${Math.max(...rounds).toFixed(2)}`;
      return `  ${ours} ÷ ${theirs} = ${middle.toFixed(2)} (${range} in ${rounds.length})`;
    }),
  ];
}

function describeStanding(standing: Standing): string {
  const { imagesPerSecond, teraflops, utilisation, peakMemoryBytes, device, torch, failure } = standing;
  if (imagesPerSecond === null) return failure === null ? 'did not run' : `failed: ${failure}`;
  const facts = [
    `${imagesPerSecond.toFixed(1).padStart(8)} images/s`,
    ...(teraflops === null ? [] : [`${teraflops.toFixed(2)} TFLOP/s`]),
    ...(utilisation === null ? [] : [`${(100 * utilisation).toFixed(1)} % of the peak`]),
    ...(peakMemoryBytes === null ? [] : [`${(peakMemoryBytes / 2 ** 20).toFixed(0)} MiB`]),
    `${torch === null ? '' : `torch ${torch} `}on ${device ?? 'an unnamed device'}`,
    ...(failure === null ? [] : [`failed once: ${failure}`]),
  ];
  return facts.join(', ');
}
