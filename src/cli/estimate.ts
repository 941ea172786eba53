/**
 * The cost of a plan: FLOPs, time, and space on the disk. FLOPs are those of `spec/flops.ts`; sizes of
 * checkpoints are exact but for their headers. Starting processes and reading images is not counted.
 */
import { sum } from '../common/sums.js';
import { canonicalJson } from '../common/canonical.js';
import { SEVERITIES } from '../data/corruptions/corruption.js';
import { CORRUPTION_NAMES } from '../data/corruptions/index.js';
import type { Dataset } from '../data/dataset.js';
import { validationOf } from '../data/validation.js';
import { checkpointBytes, weightBytes } from '../spec/shapes.js';
import { checkpointOf, flopsOfStage } from '../spec/stage-work.js';
import { epochsOf, type Stage, type StageConfig, type StageKind, type UnlabelledData } from '../spec/stages.js';
import { measuresCorruptions } from '../stages/index.js';
import type { StageResult } from '../store/records.js';

/** Images of the splits of a data set, and its classes. */
export interface DataSize {
  /** Without the validation images. */
  train: number;
  test: number;
  validation?: number;
  classes: number;
}

/** The sizes of the data sets of a plan, by their configuration. */
export class DataSizes {
  readonly #sizes = new Map<string, DataSize>();

  add(data: UnlabelledData, size: DataSize): void {
    const { validation, ...whole } = data;
    this.#sizes.set(keyOf(data), size);
    if (validation === undefined || 'folder' in validation) return;
    // Stages that use all training images have no such key.
    this.#sizes.set(keyOf(whole), { ...size, train: size.train + (size.validation ?? 0) });
  }

  /** Adds an opened data set. It is bound, so `planSweep` can call it. */
  readonly addOpened = (data: UnlabelledData, { train, test, validation, classes }: Dataset): void => {
    const validationImages = validation === undefined ? {} : { validation: validation.length };
    this.add(data, { train: train.length, test: test.length, ...validationImages, classes: classes.length });
  };

  /** The images that a stage trains on and measures on, in `train` and `test`. */
  of(config: StageConfig): DataSize | undefined {
    const size = this.#sizes.get(keyOf(config.data));
    if (size === undefined) return undefined;
    const { train, test, validation = 0, classes } = size;
    const measuresOnValidation = 'split' in config;
    return {
      train: config.data.validation?.joined === true ? train + validation : train,
      test: measuresOnValidation ? validation : test,
      classes,
    };
  }
}

/** The images of a data set, and which of them are apart. */
function keyOf(data: UnlabelledData): string {
  const { labelFraction: _, validation, ...images } = { labelFraction: 1, ...data };
  const place = validationOf(validation, false);
  if (place === undefined) return canonicalJson(images);
  const { joined: __, ...apart } = place;
  return canonicalJson({ ...images, validation: apart });
}

/** Images of the training split that a stage uses. */
function imagesOf(config: StageConfig, { train, classes }: DataSize): number {
  const { data } = config;
  if (config.kind !== 'pretrain' && config.shots !== undefined)
    return Math.min(train, config.shots * Math.max(1, classes));
  return 'labelFraction' in data ? Math.max(1, Math.round(train * data.labelFraction)) : train;
}

/**
 * FLOPs of a whole stage: its training, and the measurement at its end.
 *
 * @param images Of the training split that it uses.
 */
export function flopsOf(config: StageConfig, { test, classes }: DataSize, images: number): number {
  const times = measuresCorruptions(config) ? 1 + CORRUPTION_NAMES.length * SEVERITIES.length : 1;
  return flopsOfStage(config, { train: images, steps: imagesSeen(config, images), test: test * times, classes });
}

/** Images of all steps of a training: the last, incomplete batch of an epoch is dropped. */
function imagesSeen(config: StageConfig, images: number): number {
  const { recipe } = config;
  const batch = 'batchSize' in recipe ? Math.min(recipe.batchSize, images) : images;
  return Math.floor(images / batch) * batch * (epochsOf(config) ?? 0);
}

/** Bytes that a stage leaves: its checkpoint, and its best weights if it keeps them. */
export function bytesLeft(config: StageConfig, classes: number): { checkpoint: number; best: number } {
  const left = checkpointOf(config, classes);
  if (left === null) return { checkpoint: 0, best: 0 };
  const { shapes, groups, keepsBest } = left;
  return { checkpoint: checkpointBytes(shapes, groups), best: keepsBest ? weightBytes(shapes) : 0 };
}

/** A stage that is done, with its numbers. */
export interface Done {
  config: StageConfig;
  result: StageResult;
}

export interface CostEstimate {
  /** Of the stages that are to run. */
  flops: number;
  /** FLOP/s by kind, measured; empty: no stage was. */
  rates: Partial<Record<StageKind, number>>;
  /** Stages that the rates are from. */
  measured: number;
  /** Seconds of all stages one after the other, at these rates; null: nothing was measured. */
  seconds: number | null;
  /** Bytes of the checkpoints that stay. */
  bytes: number;
  /** Bytes of the largest checkpoint: a stage that trains keeps the one before, too. */
  largest: number;
}

/**
 * Estimates the cost of the stages to run.
 *
 * @param done Stages whose speed is known, of this plan or an earlier one.
 */
export function estimateCost(toRun: readonly Stage[], sizes: DataSizes, done: readonly Done[]): CostEstimate {
  const rates = ratesOf(done);
  const work = toRun.flatMap(({ config }) => {
    const size = sizes.of(config);
    return size === undefined
      ? []
      : [{ config, flops: flopsOf(config, size, imagesOf(config, size)), ...bytesLeft(config, size.classes) }];
  });
  const rateOf = (kind: StageKind): number => rates.byKind[kind] ?? rates.all;
  return {
    flops: sum(work.map(({ flops }) => flops)),
    rates: rates.byKind,
    measured: rates.measured,
    seconds: rates.measured === 0 ? null : sum(work.map(({ config, flops }) => flops / rateOf(config.kind))),
    bytes: sum(work.map(({ checkpoint, best }) => checkpoint + best)),
    largest: Math.max(0, ...work.map(({ checkpoint }) => checkpoint)),
  };
}

/**
 * FLOP/s of each kind of stage and of all, over the time that they took. Stages without FLOPs, such as those that run
 * no model, show no speed.
 */
function ratesOf(done: readonly Done[]): { byKind: CostEstimate['rates']; all: number; measured: number } {
  const all = done.map(({ config, result }) => {
    const test = 'testImages' in result ? result.testImages : 0;
    // A classifier's own FLOPs are a ten-thousandth of the model's.
    const flops = flopsOf(config, { train: 0, test, classes: 0 }, result.trainImages);
    return { kind: config.kind, flops, seconds: result.seconds };
  });
  const parts = all.filter(({ flops }) => flops > 0);
  const rate = (own: typeof parts): number =>
    sum(own.map(({ flops }) => flops)) / sum(own.map(({ seconds }) => seconds));
  const kinds = [...new Set(parts.map(({ kind }) => kind))];
  const byKind = Object.fromEntries(kinds.map((kind) => [kind, rate(parts.filter((part) => part.kind === kind))]));
  return { byKind, all: rate(parts), measured: parts.length };
}
