/**
 * The content hashes of files, kept between openings: a file is hashed again only if its size, times or inode have
 * changed. The hashes are a cache: if it is missing, damaged or cannot be written, every file is hashed.
 *
 * The hashes of a folder are kept in manifests, one for each recent content of the folder. So the files that differ
 * between two contents can be named.
 */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { cachePath } from '../common/cache-folder.js';
import { sha256 } from '../common/canonical.js';
import { mapInParallel } from './map-in-parallel.js';
import { readRegularFile } from './read-file.js';

/** A file to be hashed. */
export interface ListedFile {
  /** Its name in the fingerprint and in manifests, with `/` between the parts. */
  readonly name: string;
  /** Its path; null: it has no content to be read. */
  readonly path: string | null;
  /** Size, times and inode as text: a difference shows that the file may have changed. */
  readonly stamp: string;
  /** The last change of content or inode, in milliseconds since 1970. */
  readonly changedAt: number;
}

export interface HashedFolder {
  /** Hexadecimal SHA-256 of the names and contents of all files, in their order. */
  readonly fingerprint: string;
  /** The fingerprint when the folder was last hashed; null: not known. */
  readonly before: string | null;
  /**
   * Names the files that differ from the content of another fingerprint, such as `changed: train/cat/a.png`; null if no
   * manifest of that content is kept.
   */
  readonly changesSince: (fingerprint: string) => Promise<string | null>;
}

export interface HashOptions {
  /** A name for a choice of files of the folder. Each choice has its own manifests. */
  readonly choice?: string;
  /** The folder of manifests. */
  readonly cache?: string;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** Called for each file that is hashed, with how many are done of how many. */
  readonly onHashed?: (done: number, total: number) => void;
}

/** `vitmim/manifests` in `$XDG_CACHE_HOME`, or in `.cache` in the user's home folder. */
export function manifestHome(environment: NodeJS.ProcessEnv = process.env): string {
  return cachePath('manifests', environment);
}

/**
 * A file may change again within the same tick of the file system's clock, and look as it did. The hash of a file that
 * changed so recently (in milliseconds) is not kept. Two seconds are the coarsest tick in use (FAT).
 */
const SETTLED_AFTER = 2000;

/** Manifests that are kept of a folder. Each has about 150 bytes a file. */
const KEPT = 3;

/** Files that are read at once. */
const AT_ONCE = 16;

interface KnownFile {
  readonly stamp: string;
  /** Hexadecimal SHA-256. */
  readonly hash: string;
}

/** By name. */
type Manifest = Map<string, KnownFile>;

/**
 * Hashes the files of a folder.
 *
 * @param folder Whose manifests these are.
 * @throws what reading a file throws.
 */
export async function hashFolder(
  folder: string,
  files: readonly ListedFile[],
  { choice = '', cache = manifestHome(), now = Date.now, onHashed }: HashOptions = {},
): Promise<HashedFolder> {
  const place = join(cache, sha256((await realpath(folder)) + choice).slice(0, 32));
  const newest = (await keptManifests(place))[0];
  const read = newest === undefined ? undefined : await readManifest(place, newest);
  const known: Manifest = read ?? new Map<string, KnownFile>();

  const stale = files.filter(({ name, stamp }) => known.get(name)?.stamp !== stamp);
  let done = 0;
  const begin = now();
  const hashes = new Map<string, string>();
  await mapInParallel(stale, AT_ONCE, async ({ name, path }) => {
    hashes.set(name, sha256(path === null ? '' : await readRegularFile(path)));
    onHashed?.(++done, stale.length);
  });

  const current: Manifest = new Map();
  const total = createHash('sha256');
  for (const { name, stamp, changedAt } of files) {
    const hash = hashes.get(name);
    const settled = changedAt < begin - SETTLED_AFTER;
    const entry = hash === undefined ? known.get(name)! : { stamp: settled ? stamp : UNSETTLED, hash };
    total.update(`${JSON.stringify(name)} ${entry.hash}\n`);
    current.set(name, entry);
  }
  const fingerprint = total.digest('hex');
  if (stale.length > 0 || newest !== fingerprint) await keepManifest(place, fingerprint, current);

  return {
    fingerprint,
    before: newest ?? null,
    changesSince: async (earlier) => {
      // Read again, since a large folder's manifest is hundreds of megabytes in memory.
      const [before, after] = [await readManifest(place, earlier), await readManifest(place, fingerprint)];
      return before && after ? describeChanges(before, after) : null;
    },
  };
}

/** Stands for the stamp of a file whose hash is not to be used again. */
const UNSETTLED = '-';

/** The fingerprints of the manifests that are kept, the newest first. */
async function keptManifests(place: string): Promise<string[]> {
  try {
    const names = (await readdir(place)).filter((name) => /^[0-9a-f]{64}$/.test(name));
    const dated = await Promise.all(names.map(async (name) => ({ name, at: (await stat(join(place, name))).mtimeMs })));
    return dated.sort((a, b) => b.at - a.at).map(({ name }) => name);
  } catch {
    return [];
  }
}

/**
 * A manifest has one line a file: hash, stamp, and the name as JSON, since it may hold a line break.
 *
 * @returns undefined if there is no manifest, or it is damaged.
 */
async function readManifest(place: string, fingerprint: string): Promise<Manifest | undefined> {
  const manifest: Manifest = new Map();
  const total = createHash('sha256');
  try {
    const lines = createInterface({ input: createReadStream(join(place, fingerprint)), crlfDelay: Infinity });
    for await (const line of lines) {
      const [hash, stamp] = line.split(' ', 2);
      const name = line.slice(hash!.length + stamp!.length + 2);
      total.update(`${name} ${hash!}\n`);
      manifest.set(JSON.parse(name) as string, { stamp: stamp!, hash: hash! });
    }
  } catch {
    return undefined;
  }
  // The fingerprint is the hash of all lines, so that no damage to them goes unnoticed.
  return total.digest('hex') === fingerprint ? manifest : undefined;
}

/** Writes a manifest, and removes the oldest. If it cannot be written, files are hashed again the next time. */
async function keepManifest(place: string, fingerprint: string, manifest: Manifest): Promise<void> {
  const path = join(place, fingerprint);
  const temporary = `${path}.${randomUUID()}`;
  try {
    await mkdir(place, { recursive: true });
    await writeFile(temporary, linesOf(manifest));
    await rename(temporary, path);
    for (const old of (await keptManifests(place)).slice(KEPT)) await rm(join(place, old), { force: true });
  } catch {
    await rm(temporary, { force: true }).catch(() => undefined);
  }
}

function* linesOf(manifest: Manifest): Generator<string> {
  // In pieces: a million lines would be too long for a string.
  let piece: string[] = [];
  for (const [name, { stamp, hash }] of manifest) {
    piece.push(`${hash} ${stamp} ${JSON.stringify(name)}\n`);
    if (piece.length < 10_000) continue;
    yield piece.join('');
    piece = [];
  }
  yield piece.join('');
}

/** Files that each kind of change names. */
const NAMED = 3;

function describeChanges(before: Manifest, after: Manifest): string | null {
  const changed = [...after].filter(([name, { hash }]) => (before.get(name)?.hash ?? hash) !== hash);
  const appeared = [...after].filter(([name]) => !before.has(name));
  const vanished = [...before].filter(([name]) => !after.has(name));
  const kinds = [
    ['changed', changed],
    ['new', appeared],
    ['gone', vanished],
  ] as const;
  const text = kinds
    .filter(([, files]) => files.length > 0)
    .map(([what, files]) => {
      const more = files.length > NAMED ? ` and ${files.length - NAMED} more` : '';
      return `${what}: ${files
        .slice(0, NAMED)
        .map(([name]) => name)
        .join(', ')}${more}`;
    });
  return text.length > 0 ? text.join('; ') : null;
}
