/**
 * The provenance of results, as files: `provenance.json` of each stage, and beside the stages the origin, which the
 * process of the sweep found once, with the uncommitted changes. They never contain environment variables or user
 * names.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { canonicalJson, sha256 } from '../common/canonical.js';
import { UsageError } from '../common/errors.js';
import { FILE_KINDS, openJson, readJson, writeFileAtomic, writeJson } from './files.js';
import type { StagePaths, SweepPaths } from './layout.js';
import { isThere, MEBIBYTE, openBytes, type Stored } from './open.js';

const hash = z.string().regex(/^[0-9a-f]{64}$/);

/** A git repository as it was found. */
export const repositorySchema = z.strictObject({
  /** null before the first commit. */
  commit: z
    .string()
    .regex(/^[0-9a-f]{40,64}$/)
    .nullable(),
  /** Whether anything below differs from the commit; results of the sweep itself never count. */
  dirty: z.boolean(),
  /** Tracked files that differ from the commit, from the root of the repository. */
  changed: z.array(z.string()),
  /** Files, and folders of nothing else, that are neither tracked nor ignored. */
  untracked: z.array(z.string()),
  /**
   * SHA-256 of the difference from the commit to the files, for `git apply`; it lies in `provenance/<SHA-256>.diff`.
   */
  diff: z.union([hash, z.enum(['too large', 'not kept'])]).nullable(),
  /** Changed files that the diff leaves out, because their names suggest secrets. Without the key there are none. */
  withheld: z.array(z.string()).optional(),
});
export type Repository = z.output<typeof repositorySchema>;

/** The origin of a sweep, the same for all its stages. */
export const originSchema = z.strictObject({
  vitmim: z.strictObject({
    version: z.string(),
    /** null if vitmim does not run from a checkout. */
    repository: repositorySchema.nullable(),
    /** SHA-256 of the lockfile beside vitmim's package.json; null if there is none. */
    lockfile: hash.nullable(),
  }),
  /** The repository that the spec lies in; null without one. */
  spec: repositorySchema.nullable(),
  /** `vitmim` and its arguments, the home folder written as `~`; null: not recorded. */
  command: z.array(z.string()).nullable(),
});
export type Origin = z.output<typeof originSchema>;

/** The device; null: not recorded. */
export const machineSchema = z.strictObject({
  node: z.string(),
  platform: z.string().nullable(),
  arch: z.string().nullable(),
  /** Release of the operating system: on Linux, of the kernel. */
  release: z.string().nullable(),
  cpu: z.string().nullable(),
});
export type Machine = z.output<typeof machineSchema>;

const deviceSchema = z.strictObject({
  name: z.string(),
  description: z.string(),
  /** As in `DeviceDetails` of `src/backends/device.ts`; null: not recorded. */
  details: z
    .strictObject({
      backend: z.string(),
      adapter: z.string().nullable(),
      driver: z.string().nullable(),
      blas: z.strictObject({ name: z.string(), version: z.string().nullable() }).nullable(),
      threads: z.int().positive().nullable(),
    })
    .nullable(),
});

const attemptSchema = z.strictObject({ origin: originSchema, machine: machineSchema, device: deviceSchema });
/** The machine and the code that computed a stage. */
export type AttemptProvenance = z.output<typeof attemptSchema>;

const currentSchema = z.strictObject({
  /** Seed, resolved configuration and fingerprint of the data are in this file beside. */
  configuration: z.literal('stage.json'),
  /** One, or more if the stage was resumed under other conditions; the last one is the latest. */
  attempts: z.array(attemptSchema).min(1),
});
export type StageProvenance = z.output<typeof currentSchema>;

/** As the first version wrote it, before there were attempts. */
const firstSchema = z
  .strictObject({ vitmim: z.string(), node: z.string(), device: z.string(), description: z.string() })
  .transform(({ vitmim, node, device, description }): StageProvenance => {
    const origin = { vitmim: { version: vitmim, repository: null, lockfile: null }, spec: null, command: null };
    const machine = { node, platform: null, arch: null, release: null, cpu: null };
    return {
      configuration: 'stage.json',
      attempts: [{ origin, machine, device: { name: device, description, details: null } }],
    };
  });

const provenanceSchema: z.ZodType<StageProvenance> = z
  .union([currentSchema, firstSchema])
  .register(FILE_KINDS, { mostBytes: 64 * MEBIBYTE }); // it names every file that is not committed

/** The `provenance.json` of a stage, damaged or not. */
export const openProvenance = ({ provenance }: Pick<StagePaths, 'provenance'>): Stored<StageProvenance> =>
  openJson(provenance, provenanceSchema);

/** The `provenance.json` of a stage; null if there is none, or a damaged one. */
export function readProvenance(paths: Pick<StagePaths, 'provenance'>): StageProvenance | null {
  const stored = openProvenance(paths);
  return stored.kind === 'present' ? stored.value : null;
}

/** Writes the `provenance.json` of a stage that begins or resumes. */
export function recordAttempt(paths: StagePaths, attempt: AttemptProvenance): void {
  // If the file is damaged, training still continues.
  const earlier = isThere(paths.checkpoint) ? (readProvenance(paths)?.attempts ?? []) : [];
  const last = earlier.at(-1);
  const isNew = last === undefined || canonicalJson(last) !== canonicalJson(attempt);
  const record: StageProvenance = {
    configuration: 'stage.json',
    attempts: isNew ? [...earlier, attempt] : earlier,
  };
  writeJson(paths.provenance, record);
}

const NAME_LENGTH = 16;

/**
 * Keeps an origin and its diffs in the folder of a sweep, each once for all stages and runs.
 *
 * @param diffs The text of each diff that the origin names, by its SHA-256.
 * @returns the path of the origin's file.
 */
export function storeOrigin(
  { provenance }: SweepPaths,
  origin: Origin,
  diffs: ReadonlyMap<string, Uint8Array>,
): string {
  for (const [name, diff] of diffs) {
    const path = join(provenance, `${name}.diff`);
    if (diffProblem(path, name) !== null) writeFileAtomic(path, diff);
  }
  const path = join(provenance, `${sha256(canonicalJson(origin)).slice(0, NAME_LENGTH)}.json`);
  writeJson(path, origin);
  return path;
}

/** A diff is kept up to this size. */
export const MOST_DIFF_BYTES = 64 * MEBIBYTE;

/** The problem of a kept diff, whose name is its SHA-256, as a clause; null: none. */
export function diffProblem(path: string, name: string): string | null {
  const diff = openBytes(path, MOST_DIFF_BYTES);
  if (diff.kind === 'missing') return 'is missing';
  if (diff.kind === 'damaged') return diff.problem;
  return sha256(diff.value) === name ? null : 'does not match its name: it was edited, or is cut short';
}

/** The content of an origin's file, damaged or not. */
export const openOrigin = (path: string): Stored<Origin> => openJson(path, originSchema);

/** @throws UsageError if there is no such file, or it is damaged. */
export function readOrigin(path: string): Origin {
  const origin = readJson(path, originSchema, 'start the sweep again');
  if (origin === undefined)
    throw new UsageError(`there is no ${path}, which vitmim sweep wrote; start the sweep again`);
  return origin;
}
