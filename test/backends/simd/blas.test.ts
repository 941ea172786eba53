/** Which BLAS is used, and the message if the requested one cannot be used. */
import { findBlas } from '../../../src/backends/simd/blas.js';
import { openDevice } from '../../../src/backends/open.js';
import { UsageError } from '../../../src/common/errors.js';

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

it('the description of the device names the BLAS', async () => {
  const device = await openDevice('simd', { threads: 2 });
  device.close();
  expect(device.description).toBe(`${'path' in found ? found.description : `no BLAS (${found.absent})`}, 2 threads`);
});
