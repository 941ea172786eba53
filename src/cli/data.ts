/** `vitmim data`: getting data sets, and looking at what is in one. */
import { Argument, Command } from 'commander';
import { FETCHABLE, fetchDataset, type FetchEvent } from '../data/fetch.js';
import { hinted } from './completion/hints.js';
import { print, say } from './terminal.js';

export function dataCommand(): Command {
  const fetch = new Command('fetch')
    .description('download a data set, verify it and unpack it; a broken download is resumed')
    .addArgument(hinted(new Argument('<name>', FETCHABLE.join(' or ')), { words: FETCHABLE, files: false }))
    .option('-d, --destination <folder>', 'where to store it (default: $VITMIM_DATA or ~/.cache/vitmim)')
    .addHelpText('after', '\nExample:\n  vitmim data fetch cifar10')
    .action(async (name: string, { destination }: { destination?: string }) => {
      const progress = progressLines();
      const folder = await fetchDataset(name, { ...(destination ? { destination } : {}), onProgress: progress });
      say(`${name} is in:`);
      print(folder);
    });
  return new Command('data')
    .description('download data sets')
    .addCommand(fetch)
    .addHelpText('after', '\nExample:\n  vitmim data fetch cifar10');
}

const MEBIBYTE = 1 << 20;
const LINE_EVERY_MS = 2000;

/** A line every two seconds, on terminals and in logs alike. */
function progressLines(): (event: FetchEvent) => void {
  let last = 0;
  return (event) => {
    switch (event.kind) {
      case 'present':
        say('already there');
        break;
      case 'retry':
        say(`${event.reason}; trying again in ${Math.round(event.milliseconds / 1000)} s`);
        break;
      case 'unpacking':
        say('unpacking');
        break;
      case 'received': {
        const now = performance.now();
        if (now - last < LINE_EVERY_MS) return;
        last = now;
        const total = event.total === null ? '' : ` of ${Math.round(event.total / MEBIBYTE)}`;
        say(`${Math.round(event.received / MEBIBYTE)}${total} MiB`);
      }
    }
  };
}
