/**
 * The configuration behind a result, as flat keys that can be compared and named: `pretrain.epochs`, `model.dim`, … They
 * are read from the stages and not from the cells, since two sweeps may differ in keys that neither varies.
 */
import { withoutPlace, type Stage } from '../spec/stages.js';
import { maskOf, type Task } from '../spec/task.js';
import { EVALUATION_ENTRIES } from '../stages/index.js';
import { strengthsKey } from '../task/strengths.js';

/** Dotted key → value as text. */
export type Configuration = ReadonlyMap<string, string>;

/**
 * Everything that decides the results of these stages but the seed, the triple and its strengths. Stages that differ in
 * nothing else have the same object: thousands of runs have few configurations, and comparing them is cheap.
 */
export function configurationOf(stages: readonly Stage[]): Configuration {
  return interned(stages.map(textOf).join('\n'), () => stages.flatMap((stage) => flatten('', keysOf(stage))));
}

/** The strengths of a task, such as `degradation.zoomedIn.fraction`; equal ones are the same object. */
export function strengthsOf(task: Task | null): Configuration {
  return interned(JSON.stringify(task), () => strengthEntries(task));
}

/** The distinct configurations that were met, by the text that decides them. */
const known = new Map<string, Configuration>();

function interned(text: string, entries: () => readonly (readonly [string, string])[]): Configuration {
  let configuration = known.get(text);
  if (configuration === undefined) known.set(text, (configuration = new Map(entries())));
  return configuration;
}

const texts = new WeakMap<Stage, string>();

/** What decides the keys of a stage, as text. */
function textOf(stage: Stage): string {
  let text = texts.get(stage);
  if (text === undefined) texts.set(stage, (text = `${stage.config.kind} ${JSON.stringify(keysOf(stage))}`));
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

function keysOf({ config, parent, dataFingerprint, engineRevision }: Stage): object {
  // imageSize stands under data; where the data lie decides nothing.
  const common = {
    data: { ...withoutPlace(config.data), fingerprint: dataFingerprint.slice(0, 8) },
    model: { ...config.model, imageSize: undefined },
    engineRevision,
  };
  if (config.kind === 'pretrain') return { ...common, pretrain: { ...config.recipe, target: config.task.target } };
  const scratchKeys = parent === null ? EVALUATION_ENTRIES[config.kind].scratchKeys : {};
  const recipe = Object.entries(config.recipe).map(([key, value]: [string, unknown]) => [
    scratchKeys[key] ?? key,
    value,
  ]);
  return { ...common, [config.kind]: Object.fromEntries(recipe) as object };
}

function flatten(prefix: string, values: object): [string, string][] {
  return Object.entries(values).flatMap(([key, value]: [string, unknown]): [string, string][] => {
    if (value === undefined) return [];
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return flatten(`${prefix}${key}.`, value);
    return [[prefix + key, typeof value === 'string' ? value : JSON.stringify(value)]];
  });
}

/** Something with a configuration, pre-trained or not. */
export interface Configured {
  task: Task | null;
  configuration: Configuration;
}

/** Keys that only a pre-trained encoder has, such as `finetune.layerDecay`, and those that only one from scratch has. */
const PRETRAINED_ONLY = new Set<string>();
const SCRATCH_ONLY = new Set<string>();
for (const [name, { scratchKeys }] of Object.entries(EVALUATION_ENTRIES)) {
  for (const [key, ofScratch] of Object.entries(scratchKeys)) {
    PRETRAINED_ONLY.add(`${name}.${key}`);
    SCRATCH_ONLY.add(`${name}.${ofScratch}`);
  }
}

/** Whether a key can have a value there, so that its absence means something. */
export function appliesTo(key: string, { task }: Pick<Configured, 'task'>): boolean {
  if (task !== null) return !SCRATCH_ONLY.has(key);
  return !key.startsWith('pretrain.') && !key.startsWith('model.decoder.') && !PRETRAINED_ONLY.has(key);
}

/** Keys that are not the same for all they apply to, in alphabetical order. */
export function varyingKeys(items: readonly Configured[]): string[] {
  // Whether a key applies is a question of the pre-training alone.
  const distinct = [true, false].flatMap((scratch) => [
    ...new Map(
      items.filter(({ task }) => (task === null) === scratch).map((item) => [item.configuration, item] as const),
    ).values(),
  ]);
  const keys = new Set(distinct.flatMap(({ configuration }) => [...configuration.keys()]));
  return [...keys]
    .filter((key) => {
      const values = distinct.filter((item) => appliesTo(key, item)).map(({ configuration }) => configuration.get(key));
      return new Set(values).size > 1;
    })
    .sort();
}
