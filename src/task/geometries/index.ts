/** Every geometry (misalignment). To add one, add a file in this folder and a line here. */
import { registry } from '../../common/registry.js';
import { distorted } from './distorted.js';
import { none } from './none.js';
import { zoomedIn } from './zoomed-in.js';
import { zoomedOut } from './zoomed-out.js';

export const GEOMETRIES = registry({
  none,
  'zoomed-in': zoomedIn,
  'zoomed-out': zoomedOut,
  distorted,
});
