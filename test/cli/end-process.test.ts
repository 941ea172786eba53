import { execFile, execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { temporaryFolders } from '../data/fixture.js';

const folderFor = temporaryFolders();

it('ends a process with a thread that the file system does not answer, with its code and all of its output', async () => {
  const pipe = join(await folderFor(), 'pipe');
  execFileSync('mkfifo', [pipe]);
  const program = `
    import { readFile } from 'node:fs';
    import { endProcess } from ${JSON.stringify(pathToFileURL('dist/src/cli/end-process.js').href)};
    readFile(${JSON.stringify(pipe)}, () => {}); // waits for a writer, as a read waits for a server that hangs
    process.stdout.write('x'.repeat(200_000));
    setImmediate(() => endProcess(2));
  `;
  const end = await new Promise<{ code: unknown; length: number }>((resolve) => {
    execFile(process.execPath, ['--input-type=module', '--eval', program], (error, stdout) => {
      resolve({ code: error?.code, length: stdout.length });
    });
  });
  expect(end).toEqual({ code: 2, length: 200_000 });
});
