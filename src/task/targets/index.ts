/** Every target of pre-training. Adding one is a file beside this and a line here. */
import { registry } from '../../common/registry.js';
import { normalizedPatches, normalizedPatchesByChannel, pixels } from './pixels.js';

export const TARGETS = registry({
  'patch-channel': normalizedPatchesByChannel,
  patch: normalizedPatches,
  none: pixels,
});
