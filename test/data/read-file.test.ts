import { execFileSync } from 'node:child_process';
import { truncateSync, writeFileSync } from 'node:fs';
import { symlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { answered, answerIsMissing, NoAnswer } from '../../src/data/answered.js';
import { readRegularFile } from '../../src/data/read-file.js';
import { temporaryFolders } from './fixture.js';

const folderFor = temporaryFolders();

describe('reading a regular file', () => {
  it('should give all of its bytes', async () => {
    const path = join(await folderFor(), 'a');
    const bytes = Buffer.from(Array.from({ length: 20_000 }, (_, i) => i & 255));
    writeFileSync(path, bytes);
    expect(await readRegularFile(path)).toEqual(bytes);
    writeFileSync(path, '');
    expect(await readRegularFile(path)).toHaveLength(0);
  });

  it('should refuse pipes, sockets, devices and folders without waiting for them', async () => {
    const folder = await folderFor();
    const pipe = join(folder, 'pipe.png');
    execFileSync('mkfifo', [pipe]);
    const device = join(folder, 'device.png');
    await symlink('/dev/zero', device);
    const socket = join(folder, 'socket.png');
    const server = createServer().listen(socket);
    await new Promise((resolve) => server.once('listening', resolve));
    try {
      for (const path of [pipe, device, folder]) {
        await expect(readRegularFile(path)).rejects.toThrow('it is not a regular file');
      }
      await expect(readRegularFile(socket)).rejects.toThrow(/ENXIO|EOPNOTSUPP/);
    } finally {
      server.close();
    }
  });

  it('should refuse a file that is too large before it is in memory', async () => {
    const path = join(await folderFor(), 'large.png');
    writeFileSync(path, '');
    truncateSync(path, 2 ** 30 + 1);
    await expect(readRegularFile(path)).rejects.toThrow('it has 1073741825 bytes; at most 1073741824 are read');
  });
});

describe('a step of the file system', () => {
  it('should pass on its value and its error', async () => {
    expect(await answered(Promise.resolve(1), 'a', 1)).toBe(1);
    await expect(answered(Promise.reject(new Error('EIO')), 'a', 1)).rejects.toThrow('EIO');
    expect(answerIsMissing()).toBe(false);
  });

  it('should end with what to do when no answer comes, and the process remembers it', async () => {
    const never = new Promise<never>(() => undefined);
    const step = answered(never, '/mnt/images/a.png', 0.01);
    await expect(step).rejects.toThrow(NoAnswer);
    await expect(step).rejects.toThrow(/did not answer for 0.01 s about \/mnt\/images\/a\.png; see whether its server/);
    expect(answerIsMissing()).toBe(true);
  });
});
