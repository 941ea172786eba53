/** `vitmim schema`: the JSON Schema of sweep specs, for editors. */
import { Command } from 'commander';
import { sweepJsonSchema } from '../spec/json-schema.js';
import { writeJson } from '../store/files.js';
import { print } from './terminal.js';

export function schemaCommand(): Command {
  return new Command('schema')
    .description('write the JSON Schema of sweep specs, for completion and checks in editors')
    .option('-o, --out <file>', 'file to write (default: standard output)')
    .addHelpText('after', '\nExample:\n  vitmim schema --out sweep.schema.json')
    .action(({ out }: { out?: string }) => {
      if (out === undefined) print(JSON.stringify(sweepJsonSchema(), null, 2));
      else writeJson(out, sweepJsonSchema());
    });
}
