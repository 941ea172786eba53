/** Every target of pre-training. To add one, add a file in this folder and a line here. */
import { registry } from '../../common/registry.js';
import { normalizedPatches, normalizedPatchesByChannel, pixels } from './pixels.js';

export const TARGETS = registry({
  'patch-channel': normalizedPatchesByChannel,
  patch: normalizedPatches,
  none: pixels,
});
