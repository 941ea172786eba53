/** The type of keys that name a folder of the data set. */
import { z } from 'zod';

/** A path below `data.path`; `.` is that folder itself. */
export const folderBelow = z
  .string()
  .min(1)
  .refine((path) => !/^([\\/]|[a-z]:)/i.test(path) && !path.split(/[\\/]/).includes('..'), {
    message: 'expected a folder below data.path',
  });
