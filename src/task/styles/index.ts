/** Every style. To add one, add a file in this folder and a line here. */
import { registry } from '../../common/registry.js';
import { blurred } from './blurred.js';
import { decolorized } from './decolorized.js';
import { preserved } from './preserved.js';

export const STYLES = registry({
  preserved,
  blurred,
  decolorized,
});
