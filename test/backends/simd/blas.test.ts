/** Which BLAS is taken, and what is said when the one asked for cannot be. */
import { findBlas } from '../../../src/backends/simd/blas.js';
import { openDevice } from '../../../src/backends/open.js';
import { UsageError } from '../../../src/common/errors.js';

const found = findBlas(undefined);

it('is found, or its absence explained', () => {
  if (process.env.VITMIM_REQUIRE_BLAS) expect(found).toHaveProperty('path');
  if ('path' in found) expect(found.description).toMatch(/^[\w.]+( [\d.]+)?$/);
  else expect(found.absent).toContain('OpenBLAS');
});

it('can be switched off', () => {
  expect(findBlas('none')).toEqual({ absent: 'switched off by VITMIM_BLAS=none' });
});

it.each([
  ['no/such/library.so', 'VITMIM_BLAS=no/such/library.so cannot be used'],
  ['libm.so.6', 'VITMIM_BLAS=libm.so.6 cannot be used'],
])('of %s is a usage error that names the variable and the remedy', (path, message) => {
  expect(() => findBlas(path)).toThrow(UsageError);
  expect(() => findBlas(path)).toThrow(message);
  expect(() => findBlas(path)).toThrow('or `none`');
});

it('stands in the name of the device', async () => {
  const device = await openDevice('simd', { threads: 2 });
  device.close();
  expect(device.description).toBe(`${'path' in found ? found.description : `no BLAS (${found.absent})`}, 2 threads`);
});
