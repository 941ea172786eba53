import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Claimant, claimOwner, holdsClaim, isGone, type Claim } from '../../src/store/claims.js';
import { stagePaths } from '../../src/store/layout.js';

const root = mkdtempSync(join(tmpdir(), 'vitmim-'));
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});
let count = 0;
const stage = () => stagePaths(join(root, String(count++)));

function claimOf(claimant: Claimant, paths: ReturnType<typeof stage>): Claim {
  const got = claimant.claim(paths);
  if (!('claim' in got)) throw new Error('held');
  return got.claim;
}

const OTHER = { id: 'x', host: 'elsewhere', pids: '', pid: 1, since: '2026-01-01T00:00:00.000Z' };

/** A claim of some other process. */
function foreign(paths: ReturnType<typeof stage>, host: string, pid = 1): string {
  claimOf(new Claimant(), paths).release();
  const path = join(paths.folder, 'claim-4.json');
  const pids = host === hostname() ? PIDS : '';
  writeFileSync(path, JSON.stringify({ ...OTHER, host, pids, pid }));
  return path;
}
const PIDS = (() => {
  const paths = stage();
  const other = new Claimant();
  claimOf(other, paths);
  const got = new Claimant().claim(paths);
  return 'holder' in got ? got.holder!.pids : '';
})();

test('a stage is claimed by one at a time', () => {
  const paths = stage();
  const first = claimOf(new Claimant(), paths);
  expect(new Claimant().claim(paths)).toMatchObject({ holder: { host: hostname(), pid: process.pid } });
  expect(first.renew()).toBe(true);
  first.release();
  const second = claimOf(new Claimant(), paths);
  expect(second.id).not.toBe(first.id);
  expect(holdsClaim(paths, second.id)).toBe(true);
  expect(holdsClaim(paths, first.id)).toBe(false);
  expect(first.renew()).toBe(false);
});

test('claims are numbered from one, and the latest counts', () => {
  const paths = stage();
  expect(claimOwner(paths)).toBeNull(); // there is no folder yet
  const { id } = claimOf(new Claimant(), paths);
  expect(readdirSync(paths.folder)).toEqual(['claim-1.json']);
  expect(claimOwner(paths)).toMatchObject({ id, host: hostname(), pid: process.pid });
});

test('a process is known to be gone only on this host and among its processes', () => {
  const gone = { host: hostname(), pids: PIDS, pid: 2 ** 22 + 1 };
  expect(isGone(gone)).toBe(true);
  expect(isGone({ ...gone, pid: process.pid })).toBe(false);
  expect(isGone({ ...gone, host: 'elsewhere' })).toBe(false);
  expect(isGone({ ...gone, pids: 'a container' })).toBe(false);
});

test('a claim of a process that is gone is taken over at once', () => {
  const paths = stage();
  const path = foreign(paths, hostname(), 2 ** 22 + 1); // above the highest process id of Linux
  const claim = claimOf(new Claimant(), paths);
  expect(holdsClaim(paths, claim.id)).toBe(true);
  expect(existsSync(path)).toBe(false);
  expect(readdirSync(paths.folder)).toEqual(['claim-5.json']);
});

test('a claim of another host is taken over when it was not renewed for a minute of this clock', () => {
  const paths = stage();
  const path = foreign(paths, 'elsewhere');
  let now = 0;
  const claimant = new Claimant(() => now);
  expect(claimant.claim(paths)).toMatchObject({ holder: { host: 'elsewhere' } });
  now = 59_000;
  expect('holder' in claimant.claim(paths)).toBe(true);
  utimesSync(path, 5, 5); // renewed, by a clock that is half a century behind
  now = 118_000;
  expect('holder' in claimant.claim(paths)).toBe(true);
  now = 177_999;
  expect('holder' in claimant.claim(paths)).toBe(true);
  now = 178_000;
  expect('claim' in claimant.claim(paths)).toBe(true);
});

test('clocks that jump change nothing', () => {
  const paths = stage();
  const path = foreign(paths, 'elsewhere');
  for (const year of [1971, 2200]) {
    const time = new Date(Date.UTC(year, 0)).getTime() / 1000;
    utimesSync(path, time, time);
    expect('holder' in new Claimant().claim(paths)).toBe(true);
  }
});

test('a claim that cannot be read is held by another sweep, until it is old', () => {
  const paths = stage();
  writeFileSync(foreign(paths, 'elsewhere'), '');
  let now = 0;
  const claimant = new Claimant(() => now);
  expect(claimant.claim(paths)).toEqual({ holder: null });
  now = 61_000;
  expect('claim' in claimant.claim(paths)).toBe(true);
});

test('of many heirs one wins', () => {
  const paths = stage();
  foreign(paths, hostname(), 2 ** 22 + 1);
  const got = Array.from({ length: 20 }, () => new Claimant().claim(paths));
  expect(got.filter((one) => 'claim' in one)).toHaveLength(1);
});

test('an heir who comes second sees who came first', () => {
  const paths = stage();
  foreign(paths, 'elsewhere');
  let now = 0;
  const claimant = new Claimant(() => {
    // while the claimant judges claim 4
    if (now > 0) writeFileSync(join(paths.folder, 'claim-5.json'), JSON.stringify({ ...OTHER, id: 'first' }));
    return now;
  });
  expect('holder' in claimant.claim(paths)).toBe(true);
  now = 61_000;
  expect(claimant.claim(paths)).toMatchObject({ holder: { id: 'first' } });
});

describe('a claim of a number that no sweep gives', () => {
  const stageWith = (...names: string[]) => {
    const paths = stage();
    mkdirSync(paths.folder);
    for (const name of names) writeFileSync(join(paths.folder, name), '{}');
    return paths;
  };

  test('is none, however large: the stage can be claimed and stays claimed', () => {
    const paths = stageWith('claim-9007199254740992.json', 'claim-99999999999999999999.json');
    expect(holdsClaim(paths, claimOf(new Claimant(), paths).id)).toBe(true);
  });

  test('is refused if nothing could follow it', () => {
    const paths = stageWith('claim-1000000000.json');
    let now = 0;
    const claimant = new Claimant(() => now);
    expect(claimant.claim(paths)).toEqual({ holder: null });
    now = 61_000;
    expect(() => claimant.claim(paths)).toThrow('claim-1000000000.json has a number that no sweep gives; remove it');
  });
});
