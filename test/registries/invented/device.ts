/** A device: the plain backend of tfjs under another name. */
import type * as open from '../../../src/backends/open.js';
import type * as choose from '../../../src/runner/choose-device.js';
import type { Invented } from '../support.js';

const TEXT = `
import { cpu } from './cpu.js';
import type { DeviceEntry } from './device.js';

export const abacus: DeviceEntry<'abacus'> = {
  name: 'abacus',
  computesOn: 'processor',
  automatic: false,
  open: async (options) => ({ ...(await cpu.open(options)), description: 'wooden beads' }),
};
`;

export const device: Invented = {
  title: 'device',
  file: { path: 'src/backends/abacus.ts', text: TEXT },
  listed: {
    path: 'src/backends/index.ts',
    import: "import { abacus } from './abacus.js';",
    after: '  cpu,',
    entry: '  abacus,',
  },
  tests(copy) {
    it('is a value of --device, and opens by its name', async () => {
      expect(await copy.vitmim('sweep', '--help')).toContain('"abacus"');
      const { openDevice } = await copy.load<typeof open>('backends/open');
      // This program's own types do not have the name.
      const opened = await openDevice('abacus' as 'cpu');
      opened.close();
      expect([opened.name, opened.description]).toEqual(['abacus', 'wooden beads']);
    });

    it('shares the processor among the stages of a sweep', async () => {
      const { chooseDevice } = await copy.load<typeof choose>('runner/choose-device');
      expect(await chooseDevice('abacus' as 'cpu', '')).toEqual({ name: 'abacus', software: true });
    });
  },
};
