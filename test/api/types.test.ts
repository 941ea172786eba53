/** The API declares its own lists of names, so that its declarations need no other file. They are those of the program. */
import type { Device, FeatureOptions, FileEncoder, OpenEncoderOptions } from '../../src/api/types.js';
import type { RunSweepOptions } from '../../src/api/events.js';
import type { DeviceChoice, DeviceName } from '../../src/backends/index.js';
import type { DecodeMode } from '../../src/data/formats/format.js';
import type { Corrupt } from '../../src/embedding/encoder.js';
import type { WeightsFormat } from '../../src/spec/weights-formats.js';

/** Two unions of names: whether each has every name of the other. */
type Same<Ours, Theirs> = [Ours, Theirs] extends [Theirs, Ours] ? true : false;

it('accepts the same devices, formats of weights, ways of decoding and policies as the commands', () => {
  // A name that only one of the two has does not compile.
  const same: [
    Same<Device, DeviceName>,
    Same<NonNullable<RunSweepOptions['device']>, DeviceChoice>,
    Same<NonNullable<OpenEncoderOptions['device']>, DeviceChoice>,
    Same<NonNullable<FileEncoder['format']>, WeightsFormat | 'auto'>,
    Same<NonNullable<FeatureOptions['decode']>, DecodeMode>,
    Same<NonNullable<FeatureOptions['corrupt']>, Corrupt>,
  ] = [true, true, true, true, true, true];
  expect(same).not.toContain(false);
});
