/** Which BLAS is used, and the message if the requested one cannot be used. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { blasFolder, blasPackages } from '../../../src/backends/simd/blas-packages.js';
import { findBlas } from '../../../src/backends/simd/blas.js';
import { openDevice } from '../../../src/backends/open.js';
import { UsageError } from '../../../src/common/errors.js';
import { temporaryFolder } from '../../support/cli.js';
import { withVariables } from '../../support/variables.js';

const folder = temporaryFolder();
afterAll(() => {
  folder.remove();
});

const found = findBlas(undefined);

it('a BLAS is found, or its absence is explained', () => {
  if (process.env.VITMIM_REQUIRE_BLAS) expect(found).toHaveProperty('path');
  if ('path' in found) expect(found.description).toMatch(/^[\w.]+( [\d.]+)?$/);
  else expect(found.absent).toContain('install');
});

it('a BLAS can be switched off', () => {
  expect(findBlas('none')).toEqual({ absent: 'switched off by VITMIM_BLAS=none' });
});

it.each([
  ['no/such/library.so', 'VITMIM_BLAS=no/such/library.so cannot be used'],
  ['libm.so.6', 'VITMIM_BLAS=libm.so.6 cannot be used'],
])('a request for %s is a usage error that names the variable and the remedy', (path, message) => {
  expect(() => findBlas(path)).toThrow(UsageError);
  expect(() => findBlas(path)).toThrow(message);
  expect(() => findBlas(path)).toThrow('or `none`');
});

test('an installed BLAS that cannot be loaded is passed over with its remedy', async () => {
  await withVariables({ XDG_CACHE_HOME: folder.path }, () => {
    const [wanted] = blasPackages();
    if (wanted === undefined) return; // no package for this platform
    const library = join(blasFolder(wanted), wanted.library);
    mkdirSync(dirname(library), { recursive: true });
    writeFileSync(library, 'not a library');
    const { advice, ...rest } = findBlas(undefined);
    expect(advice).toContain(library);
    expect(advice).toContain('vitmim blas install --force');
    expect(rest).toEqual('path' in found ? findBlas(found.path) : { absent: 'none was found' });
  });
});

it('the description of the device names the BLAS', async () => {
  const device = await openDevice('simd', { threads: 2 });
  device.close();
  expect(device.description).toBe(`${'path' in found ? found.description : `no BLAS (${found.absent})`}, 2 threads`);
});
