/** The JSON Schema (draft-07) of a sweep file, for editors. Made from the same schema that checks it at run time. */
import { z } from 'zod';
import { sweepSchema } from './sweep-schema.js';

/** What `schema/sweep.schema.json` holds. */
export function sweepJsonSchema(): object {
  return z.toJSONSchema(sweepSchema, {
    target: 'draft-7',
    io: 'input',
    override({ jsonSchema }) {
      // zod states the range of exact integers as bounds; in an editor they are noise.
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
    },
  });
}
