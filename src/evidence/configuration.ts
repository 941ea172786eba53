/**
 * The configuration behind a result, as flat keys that can be compared and named: `pretrain.epochs`, `model.dim`, …
 * They are read from the stages and not from the cells, since two sweeps may differ in keys that neither varies.
 */
import { groupBy } from '../common/group-by.js';
import { withoutLabels } from '../spec/jobs.js';
import { repeatsOf, withoutPlace, type Job, type Stage } from '../spec/stages.js';
import { maskOf, type Task } from '../spec/task.js';
import { EVALUATION_ENTRIES } from '../stages/index.js';
import { strengthsKey } from '../task/strengths.js';

/** Dotted key → value as text. */
export type Configuration = ReadonlyMap<string, string>;

/** A stage with the name of its evaluation; its kind by default. */
export interface NamedStage {
  stage: Stage;
  name?: string;
}

/**
 * Everything that decides the results of a pre-training and one evaluation but the seed, the triple and its strengths.
 * Stages that differ in nothing else have the same object: thousands of runs have few configurations, and comparing
 * them is cheap.
 *
 * @param stages The pre-training first, if there is one.
 */
export function configurationOf(stages: readonly Stage[]): Configuration {
  return configurationOfNamed(stages.map((stage) => ({ stage })));
}

/**
 * {@link configurationOf} for several evaluations. `data` is the data set of the first one. Keys of the data of another
 * stage have the name of that stage in front if they differ: `pretrain.data.name`, `pets.data.name`.
 */
export function configurationOfNamed(stages: readonly NamedStage[]): Configuration {
  return interned(stages.map(({ stage, name }) => `${name ?? ''} ${textOf(stage)}`).join('\n'), () => {
    const main = partsOf((stages.find(({ stage }) => stage.config.kind !== 'pretrain') ?? stages[0])!.stage);
    return stages.flatMap(({ stage, name = stage.config.kind }) => {
      const { images, labels, recipe, others } = partsOf(stage);
      const sameImages = JSON.stringify(images) === JSON.stringify(main.images);
      const sameLabels = labels === null || JSON.stringify(labels) === JSON.stringify(main.labels);
      return [
        ...flatten(sameImages ? 'data.' : `${name}.data.`, images),
        ...flatten(sameLabels ? 'data.' : `${name}.`, labels ?? {}),
        ...flatten(`${name}.`, recipe),
        ...flatten('', others),
      ];
    });
  });
}

/**
 * The configuration of all stages of a job; repeats differ in nothing but their draws. A job without stages has an
 * empty one.
 *
 * @param stageOf undefined: the stage is not known, and is passed over.
 */
export function configurationOfJob(job: Job, stageOf: (id: string) => Stage | undefined): Configuration {
  const named = [
    ...(job.pretrain === null ? [] : [{ id: job.pretrain, name: 'pretrain' }]),
    ...Object.keys(job.evaluations).flatMap((name) =>
      repeatsOf(job, name)
        .slice(0, 1)
        .map((id) => ({ id, name })),
    ),
  ];
  const stages = named.flatMap(({ id, name }) => {
    const stage = stageOf(id);
    return stage === undefined ? [] : [{ stage, name }];
  });
  return stages.length === 0 ? new Map() : configurationOfNamed(stages);
}

/**
 * The strengths of a task, such as `degradation.zoomedIn.fraction`, or the digest of given weights; equal ones are the
 * same object.
 */
export function strengthsOf(task: Task | null, weights?: string): Configuration {
  return interned(`${JSON.stringify(task)} ${weights ?? ''}`, () => [
    ...strengthEntries(task),
    ...(weights === undefined ? [] : [['weights', weights.slice(0, 8)] as const]),
  ]);
}

/** The distinct configurations that were met, by the text that decides them. */
const known = new Map<string, Configuration>();

function interned(text: string, entries: () => readonly (readonly [string, string])[]): Configuration {
  let configuration = known.get(text);
  if (configuration === undefined) known.set(text, (configuration = new Map(entries())));
  return configuration;
}

const texts = new WeakMap<Stage, string>();

/** The parts of a stage that decide its keys, as text. */
function textOf(stage: Stage): string {
  let text = texts.get(stage);
  if (text === undefined) texts.set(stage, (text = `${stage.config.kind} ${JSON.stringify(partsOf(stage))}`));
  return text;
}

function strengthEntries(task: Task | null): (readonly [string, string])[] {
  if (task === null) return [];
  const mask = task.maskRatio > 0 ? [maskOf(task)] : [];
  return [
    ...mask.map(({ kind }): [string, string] => ['degradation.mask', kind]),
    ...[task.geometry, task.style, ...mask].flatMap(({ kind, ...values }) =>
      flatten(`degradation.${strengthsKey(kind)}.`, values),
    ),
  ];
}

interface Parts {
  images: object;
  /** How many of the labels are used; null: a pre-training uses none. */
  labels: object | null;
  recipe: object;
  others: object;
}

function partsOf({ config, parent, dataFingerprint, engineRevision }: Stage): Parts {
  // imageSize is shown under data. The path of the data changes no result.
  const images = { ...withoutPlace(withoutLabels(config.data)), fingerprint: dataFingerprint.slice(0, 8) };
  const others = { model: { ...config.model, imageSize: undefined }, engineRevision };
  if (config.kind === 'pretrain') {
    const recipe = { ...config.recipe, target: config.task.target, weights: config.weights?.sha256.slice(0, 8) };
    return { images, labels: null, recipe, others };
  }
  // Given weights in place of a pre-training are in `strengthsOf`.
  const scratchKeys =
    parent === null && config.weights === undefined ? EVALUATION_ENTRIES[config.kind].scratchKeys : {};
  const recipe = Object.entries(config.recipe).map(([key, value]: [string, unknown]) => [
    scratchKeys[key] ?? key,
    value,
  ]);
  const { labelFraction } = config.data;
  return {
    images,
    labels: { labelFraction, shots: config.shots },
    recipe: Object.fromEntries(recipe) as object,
    others,
  };
}

function flatten(prefix: string, values: object): [string, string][] {
  return Object.entries(values).flatMap(([key, value]: [string, unknown]): [string, string][] => {
    if (value === undefined) return [];
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return flatten(`${prefix}${key}.`, value);
    return [[prefix + key, typeof value === 'string' ? value : JSON.stringify(value)]];
  });
}

/** A configuration without some keys, such as those that were chosen for the cell. Equal ones are the same object. */
export function withoutKeys(configuration: Configuration, keys: readonly string[]): Configuration {
  if (!keys.some((key) => configuration.has(key))) return configuration;
  const entries = [...configuration].filter(([key]) => !keys.includes(key));
  return interned(`without ${JSON.stringify(entries)}`, () => entries);
}

/** Something with a configuration, pre-trained or not. */
export interface Configured {
  task: Task | null;
  /** The digest of given weights. */
  weights?: string | undefined;
  configuration: Configuration;
}

/**
 * Keys of recipes that only a pre-trained encoder has, such as `layerDecay`, and those that only one from scratch has.
 */
const PRETRAINED_ONLY = new Set<string>();
const SCRATCH_ONLY = new Set<string>();
for (const { scratchKeys } of Object.values(EVALUATION_ENTRIES)) {
  for (const [key, ofScratch] of Object.entries(scratchKeys)) {
    PRETRAINED_ONLY.add(key);
    SCRATCH_ONLY.add(ofScratch);
  }
}

/** Whether a key can have a value there, so that its absence means something. */
export function appliesTo(key: string, { task, weights }: Pick<Configured, 'task' | 'weights'>): boolean {
  const last = key.slice(key.lastIndexOf('.') + 1);
  if (task !== null) return !SCRATCH_ONLY.has(last);
  if (key.startsWith('pretrain.') || key.startsWith('model.decoder.')) return false;
  return weights === undefined ? !PRETRAINED_ONLY.has(last) : !SCRATCH_ONLY.has(last);
}

/** Keys that are not the same for all they apply to, in alphabetical order. */
export function varyingKeys(items: readonly Configured[]): string[] {
  // Only the pre-training decides whether a key applies.
  const kindOf = ({ task, weights }: Configured): string => (task === null ? (weights ?? 'scratch') : 'task');
  const distinct = [...groupBy(items, kindOf).values()].flatMap((alike) => [
    ...new Map(alike.map((item) => [item.configuration, item] as const)).values(),
  ]);
  const keys = new Set(distinct.flatMap(({ configuration }) => [...configuration.keys()]));
  return [...keys]
    .filter((key) => {
      const values = distinct.filter((item) => appliesTo(key, item)).map(({ configuration }) => configuration.get(key));
      return new Set(values).size > 1;
    })
    .sort();
}
