/** From a spec file to a plan: the pure parts of src/spec, fed with the file and the data sets' fingerprints. */
import { readFileSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { canonicalJson } from '../common/canonical.js';
import { messageOf, UsageError } from '../common/errors.js';
import { openDataset, type Dataset } from '../data/dataset.js';
import { describeDataset } from '../data/describe.js';
import { seedsProblem } from '../decide/seeds.js';
import { entriesOf, type ResolvedEvaluation } from '../spec/entries.js';
import { labelsOf, withoutLabels, type JobUse } from '../spec/jobs.js';
import { buildPlan, datasetsOf, resolvedJobs, weightsOf } from '../spec/plan.js';
import type { Plan, UnlabelledData } from '../spec/stages.js';
import { readSweep, type Sweep } from '../spec/sweep.js';
import { lackOf } from '../stages/evaluation.js';
import { EVALUATION_ENTRIES, STAGE_ENTRIES } from '../stages/index.js';
import { checkGiven, digestOfWeights } from '../weights/given.js';

/**
 * Reads and validates a spec file and the files that it extends.
 *
 * @throws UsageError when it cannot be read; SpecError with every problem and its line.
 */
export function loadSweep(file: string, sets: readonly string[]): Sweep {
  const readText = (path: string): string => readFileSync(path, 'utf8');
  let text: string;
  try {
    text = readText(file);
  } catch (error) {
    throw new UsageError(`cannot read the spec ${file}: ${messageOf(error)}`);
  }
  return readSweep(text, { file, defaultName: basename(file, extname(file)), sets, readText });
}

/** Called while a plan is made. */
export interface PlanWatch {
  /** With each data set that was opened. */
  onOpened?: (data: UnlabelledData, dataset: Dataset) => void;
  /** Called with the content of each data set and each file of weights, a line at a time. */
  tell?: (line: string) => void;
  /** While files are read for the first time: how many of how many. */
  onHashed?: (done: number, total: number) => void;
}

/**
 * Opens every data set of the sweep, and freezes the plan.
 *
 * @throws UsageError when a data set is missing or broken, or lacks what an evaluation needs, with the remedy.
 */
export async function planSweep(sweep: Sweep, watch: PlanWatch = {}): Promise<Plan> {
  const { onOpened = () => undefined, tell = () => undefined, onHashed = () => undefined } = watch;
  const opened = new Map<string, Dataset>();
  for (const data of datasetsOf(sweep)) {
    const dataset = await openDataset(data, 1, { onHashed, onChanged: tell });
    for (const line of describeDataset(dataset, 'path' in data ? data.path : undefined)) tell(line);
    onOpened(data, dataset);
    opened.set(canonicalJson(data), dataset);
  }
  const datasetOf = (data: UnlabelledData): Dataset => opened.get(canonicalJson(data))!;
  const lacks = lacksOf(sweep, datasetOf);
  if (lacks.length > 0) throw new UsageError(lacks.join('\n'));
  const digests = readDigests(sweep, tell);
  const plan = buildPlan(
    sweep,
    (data) => datasetOf(data).fingerprint,
    (file) => digests.get(file)!,
  );
  const problem = seedsProblem(plan);
  if (problem !== null) throw new UsageError(problem);
  return plan;
}

/**
 * The digests of the files of weights that the sweep starts from, by their paths; prints what each one provides.
 *
 * @throws UsageError if a file is missing, is not the one that the spec names, or does not fit the model of a cell.
 */
function readDigests(sweep: Sweep, tell: (line: string) => void): Map<string, string> {
  const digests = new Map<string, string>();
  const checked = new Set<string>();
  for (const config of weightsOf(sweep)) {
    const { kind, model, weights } = config;
    const known = canonicalJson([kind, model, weights]);
    if (checked.has(known)) continue;
    checked.add(known);
    // Several kinds of stages start from one file, which may have gigabytes: it is read once.
    digests.set(weights.file, digestOfWeights(weights, digests.get(weights.file)));
    const taken = `${checkGiven(config)}; for ${STAGE_ENTRIES[kind].title}`;
    tell(`weights: ${taken}, SHA-256 ${digests.get(weights.file)!.slice(0, 12)}…`);
  }
  return digests;
}

/** How many images an evaluation trains on. */
function trainImagesOf(
  entry: ResolvedEvaluation,
  { train, validation, classes }: Dataset,
  use: JobUse = 'plain',
): number {
  const { shots, labelFraction } = labelsOf(entry);
  const images = train.length + (use === 'joined' ? (validation?.length ?? 0) : 0);
  return shots === undefined ? Math.ceil(images * labelFraction) : Math.min(images, shots * classes.length);
}

/** The parts that the data sets lack for the evaluations of the sweep, a sentence each. */
function lacksOf(sweep: Sweep, datasetOf: (data: UnlabelledData) => Dataset): string[] {
  const lacks = resolvedJobs(sweep).flatMap(({ job, model, use }) =>
    entriesOf(job).map((entry) => {
      const { name, protocol, shots, data } = entry;
      const dataset = datasetOf(withoutLabels(data));
      const { needs, problemOf } = EVALUATION_ENTRIES[protocol];
      return (
        lackOf({ name, needs, shots }, dataset) ??
        problemOf?.({ name, model, trainImages: trainImagesOf(entry, dataset, use) }) ??
        null
      );
    }),
  );
  return [...new Set(lacks)].filter((lack) => lack !== null);
}
