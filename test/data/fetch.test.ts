import { existsSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createNetServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { UsageError } from '../../src/common/errors.js';
import { type Archive, fetchArchive, fetchDataset, type FetchEvent, type FetchOptions } from '../../src/data/fetch.js';
import { temporaryFolders } from './fixture.js';
import { onlyIf } from '../support/capabilities.js';

const folderFor = temporaryFolders();

/** An archive of a folder `set` with one file of pseudo-random, hence incompressible, bytes. */
const CONTENT = Buffer.concat(Array.from({ length: 4000 }, (_, i) => createHash('sha256').update(String(i)).digest()));
let packed: Buffer;
beforeAll(async () => {
  const folder = await folderFor();
  await mkdir(join(folder, 'set'));
  await writeFile(join(folder, 'set', 'data.bin'), CONTENT);
  execFileSync('tar', ['-czf', join(folder, 'set.tar.gz'), '-C', folder, 'set']);
  packed = await readFile(join(folder, 'set.tar.gz'));
});

const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
});

/** A server on this machine only, and the requests it has had, by their Range; `whole` without one. */
async function serve(answer: RequestListener): Promise<{ url: string; ranges: string[] }> {
  const ranges: string[] = [];
  const server = createServer((request, response) => {
    ranges.push(request.headers.range ?? 'whole');
    answer(request, response);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/files/set.tar.gz`, ranges };
}

/** Where the request's Range begins; 0 without one. */
const startOf = (range: string | undefined): number => Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);

/** Answers as a server that supports ranges. */
const ranged: RequestListener = (request, response) => {
  const start = startOf(request.headers.range);
  if (start >= packed.length) {
    response.writeHead(416, { 'content-range': `bytes */${packed.length}` }).end();
  } else if (start > 0) {
    const range = `bytes ${start}-${packed.length - 1}/${packed.length}`;
    response
      .writeHead(206, { 'content-range': range, 'content-length': packed.length - start })
      .end(packed.subarray(start));
  } else {
    response.writeHead(200, { 'content-length': packed.length }).end(packed);
  }
};

const md5 = (bytes: Buffer): string => createHash('md5').update(bytes).digest('hex');

const archiveAt = (url: string): Archive => ({
  url,
  md5: md5(packed),
  mostBytes: 1 << 20,
  folder: 'set',
  isComplete: async (folder) => (await readFile(join(folder, 'data.bin')).catch(() => '')).length === CONTENT.length,
});

/** Fetches without pauses, and tells what happened. */
async function run(
  url: string,
  {
    destination,
    pauses = [0, 0],
    archive = archiveAt(url),
    ...limits
  }: { destination?: string; pauses?: number[]; archive?: Archive } & Pick<
    FetchOptions,
    'lowestRate' | 'idleTimeout'
  > = {},
) {
  const events: FetchEvent[] = [];
  const into = destination ?? (await folderFor());
  const result = fetchArchive(archive, {
    destination: into,
    pauses,
    ...limits,
    onProgress: (event) => events.push(event),
  });
  const kinds = (): string[] => events.map(({ kind }) => kind).filter((kind) => kind !== 'received');
  return { events, kinds, into, result };
}

const part = (into: string): string => join(into, 'set.tar.gz.part');

describe('fetching a data set', () => {
  it('should download, unpack and leave nothing else', async () => {
    const { url, ranges } = await serve(ranged);
    const { result, into, events } = await run(url);
    expect(await result).toBe(join(into, 'set'));
    expect(await readFile(join(into, 'set', 'data.bin'))).toEqual(CONTENT);
    expect(await readdir(into)).toEqual(['set']);
    expect(ranges).toEqual(['whole']);
    expect(events.at(-2)).toEqual({ kind: 'received', received: packed.length, total: packed.length });
    expect(events.at(-1)).toEqual({ kind: 'unpacking', folder: join(into, 'set') });
  });

  it('should do nothing if it is there already', async () => {
    const { url, ranges } = await serve(ranged);
    const first = await run(url);
    await first.result;
    const again = await run(url, { destination: first.into });
    expect(await again.result).toBe(join(first.into, 'set'));
    expect(again.kinds()).toEqual(['present']);
    expect(ranges).toHaveLength(1);
  });

  it('should complete a folder that is incomplete, and keep what else is in it', async () => {
    const { url } = await serve(ranged);
    const into = await folderFor();
    await mkdir(join(into, 'set'));
    await writeFile(join(into, 'set', 'data.bin'), 'too short');
    await writeFile(join(into, 'set', 'notes.txt'), 'mine');
    await (
      await run(url, { destination: into })
    ).result;
    expect(await readFile(join(into, 'set', 'data.bin'))).toEqual(CONTENT);
    expect(await readFile(join(into, 'set', 'notes.txt'), 'utf8')).toBe('mine');
    expect(await readdir(into)).toEqual(['set']);
  });

  it('should continue a broken transfer', async () => {
    let broken = 0;
    const { url, ranges } = await serve((request, response) => {
      if (broken++ > 0) {
        ranged(request, response);
        return;
      }
      response.writeHead(200, { 'content-length': packed.length });
      response.write(packed.subarray(0, 50_000), () => setTimeout(() => request.socket.destroy(), 50));
    });
    const { result, into, kinds } = await run(url);
    await result;
    expect(await readFile(join(into, 'set', 'data.bin'))).toEqual(CONTENT);
    expect(kinds()).toEqual(['retry', 'unpacking']);
    expect(ranges).toEqual(['whole', 'bytes=50000-']);
  });

  it('should continue the transfer of an earlier run', async () => {
    const { url, ranges } = await serve(ranged);
    const into = await folderFor();
    await writeFile(part(into), packed.subarray(0, 1234));
    await (
      await run(url, { destination: into })
    ).result;
    expect(await readFile(join(into, 'set', 'data.bin'))).toEqual(CONTENT);
    expect(ranges).toEqual(['bytes=1234-']);
  });

  it('should begin anew if the server knows no ranges', async () => {
    const { url, ranges } = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': packed.length }).end(packed);
    });
    const into = await folderFor();
    await writeFile(part(into), packed.subarray(0, 1234));
    const { result, events } = await run(url, { destination: into });
    await result;
    expect(ranges).toEqual(['bytes=1234-']);
    expect(events.at(-2)).toEqual({ kind: 'received', received: packed.length, total: packed.length });
  });

  it('should begin anew if the server sends another range than asked for', async () => {
    const { url } = await serve((request, response) => {
      if (request.headers.range === undefined) ranged(request, response);
      else response.writeHead(206, { 'content-range': `bytes 5-9/${packed.length}` }).end('wrong');
    });
    const into = await folderFor();
    await writeFile(part(into), packed.subarray(0, 1234));
    await (
      await run(url, { destination: into })
    ).result;
    expect(await readFile(join(into, 'set', 'data.bin'))).toEqual(CONTENT);
  });

  it('should need no network if the whole archive lies ready', async () => {
    const into = await folderFor();
    await writeFile(part(into), packed);
    await (
      await run('http://127.0.0.1:9/set.tar.gz', { destination: into })
    ).result;
    expect(await readFile(join(into, 'set', 'data.bin'))).toEqual(CONTENT);
  });

  it('should begin anew, once, if the part from an earlier run is of another file', async () => {
    const { url, ranges } = await serve(ranged);
    const into = await folderFor();
    await writeFile(part(into), Buffer.alloc(1000));
    await (
      await run(url, { destination: into })
    ).result;
    expect(ranges).toEqual(['bytes=1000-', 'whole']);
  });

  it('should begin anew if the part from an earlier run is longer than the file', async () => {
    const { url, ranges } = await serve(ranged);
    const into = await folderFor();
    await writeFile(part(into), Buffer.alloc(packed.length + 10));
    await (
      await run(url, { destination: into })
    ).result;
    expect(ranges).toEqual([`bytes=${packed.length + 10}-`, 'whole']);
  });

  it('should store the bytes as sent, with any declared encoding', async () => {
    const { url } = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': packed.length, 'content-encoding': 'x-gzip' }).end(packed);
    });
    const { result, into } = await run(url);
    await result;
    expect(await readFile(join(into, 'set', 'data.bin'))).toEqual(CONTENT);
  });

  it('should follow a redirection', async () => {
    const { url } = await serve((request, response) => {
      if (request.url === '/elsewhere.tar.gz') ranged(request, response);
      else response.writeHead(302, { location: '/elsewhere.tar.gz' }).end();
    });
    await (
      await run(url)
    ).result;
  });

  it.each(['file:///etc/passwd', 'ftp://x/y', 'javascript:0', 'http://[', 'data:,x'])(
    'should refuse a redirection to %s',
    async (location) => {
      const { url } = await serve((_request, response) => response.writeHead(302, { location }).end());
      const { result, into } = await run(url);
      await expect(result).rejects.toThrow(UsageError);
      await expect(result).rejects.toThrow('no http or https address');
      expect(await readdir(into)).toEqual([]);
    },
  );

  it('should refuse an address that is none of the web', async () => {
    await expect((await run('file:///etc/set.tar.gz')).result).rejects.toThrow('no http or https address');
  });

  it('should end a body that is too large, announced or not, and leave nothing of it', async () => {
    for (const announced of [true, false]) {
      const { url, ranges } = await serve((_request, response) => {
        response.writeHead(200, announced ? { 'content-length': 1 << 30 } : {});
        const more = (): void => {
          if (!response.destroyed) response.write(Buffer.alloc(1 << 16), more);
        };
        more();
      });
      const { result, into } = await run(url);
      await expect(result).rejects.toThrow('sends more than 1 MiB');
      expect(await readdir(into)).toEqual([]);
      expect(ranges).toHaveLength(1);
    }
  });

  it('should give up on a server that sends byte by byte, however far it gets', async () => {
    const drip: RequestListener = (request, response) => {
      const start = startOf(request.headers.range);
      const range = { 'content-range': `bytes ${start}-${packed.length - 1}/${packed.length}` };
      response.writeHead(start > 0 ? 206 : 200, start > 0 ? range : {});
      let at = start;
      const timer = setInterval(() => response.write(packed.subarray(at, ++at)), 5);
      response.on('close', () => {
        clearInterval(timer);
      });
    };
    const { url, ranges } = await serve(drip);
    const { result } = await run(url, { lowestRate: { bytes: 1000, milliseconds: 100 } });
    await expect(result).rejects.toThrow(/fewer than 1000 bytes arrived in 0\.1 s.*in 3 attempts in a row/);
    expect(ranges).toHaveLength(3);
  });

  it('should give up on a server whose answer never begins, though it is not silent', async () => {
    const server = createNetServer((socket) => {
      socket.on('error', () => undefined);
      socket.write('HTTP/1.1 200 OK\r\nx: ');
      const timer = setInterval(() => socket.write('y'), 5);
      socket.on('close', () => {
        clearInterval(timer);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/set.tar.gz`;
    await expect((await run(url, { idleTimeout: 200, pauses: [] })).result).rejects.toThrow('no answer in 0.2 s');
    server.close();
  });

  it('should give up on a redirection in a circle', async () => {
    const { url } = await serve((request, response) => {
      response.writeHead(301, { location: request.url }).end();
    });
    await expect((await run(url)).result).rejects.toThrow(/redirected more than 5 times/);
  });

  it('should refuse, and remove, a file with the wrong checksum', async () => {
    const { url, ranges } = await serve((_request, response) => response.end('not the archive'));
    const { result, into } = await run(url);
    await expect(result).rejects.toThrow(UsageError);
    await expect(result).rejects.toThrow(new RegExp(`does not have the MD5 ${md5(packed)}`));
    expect(await readdir(into)).toEqual([]);
    expect(ranges).toHaveLength(1);
  });

  it('should refuse an archive that does not hold what it should, and leave no folder', async () => {
    const { url } = await serve(ranged);
    const { result, into } = await run(url, {
      archive: { ...archiveAt(url), isComplete: () => Promise.resolve(false) },
    });
    await expect(result).rejects.toThrow(/does not hold a complete set/);
    expect(await readdir(into)).toEqual(['set.tar.gz.part']);
  });

  it('should say so when the archive cannot be unpacked', async () => {
    const junk = Buffer.from('no archive at all');
    const { url } = await serve((_request, response) => response.end(junk));
    const { result, into } = await run(url, { archive: { ...archiveAt(url), md5: md5(junk) } });
    await expect(result).rejects.toThrow(UsageError);
    await expect(result).rejects.toThrow(/cannot be unpacked/);
    expect(await readdir(into)).toEqual(['set.tar.gz.part']);
  });

  it('should not ask again for a file that is not there', async () => {
    const { url, ranges } = await serve((_request, response) => response.writeHead(404).end('<html>'));
    const { result } = await run(url);
    await expect(result).rejects.toThrow(UsageError);
    await expect(result).rejects.toThrow(/set\.tar\.gz: the server answers 404/);
    expect(ranges).toHaveLength(1);
  });

  it('should try again when the server is overloaded, and give up after the last pause', async () => {
    const { url, ranges } = await serve((_request, response) => response.writeHead(503).end());
    const { result, events, into } = await run(url, { pauses: [1, 2] });
    await expect(result).rejects.toThrow(UsageError);
    await expect(result).rejects.toThrow(/the server answers 503.*in 3 attempts in a row/s);
    await expect(result).rejects.toThrow(part(into));
    expect(ranges).toHaveLength(3);
    expect(events).toEqual([
      { kind: 'retry', reason: 'the server answers 503', milliseconds: 1 },
      { kind: 'retry', reason: 'the server answers 503', milliseconds: 2 },
    ]);
  });

  it('should count attempts anew after each that got further', async () => {
    const { url, ranges } = await serve((request, response) => {
      const start = startOf(request.headers.range);
      if (start > 100_000) {
        ranged(request, response);
        return;
      }
      const range = `bytes ${start}-${packed.length - 1}/${packed.length}`;
      response.writeHead(start > 0 ? 206 : 200, { 'content-range': range, 'content-length': packed.length - start });
      response.write(packed.subarray(start, start + 20_000), () => setTimeout(() => request.socket.destroy(), 30));
    });
    await (
      await run(url, { pauses: [0] })
    ).result;
    expect(ranges.length).toBeGreaterThan(4);
  });

  it('should say that there is no connection', async () => {
    // Port 9 (discard) is closed on this machine.
    const { result } = await run('http://127.0.0.1:9/set.tar.gz');
    await expect(result).rejects.toThrow(UsageError);
    await expect(result).rejects.toThrow(/no connection \(.*ECONNREFUSED.*check the network/s);
  });

  it('should count a silent connection as lost', async () => {
    const { url } = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': packed.length }).write(packed.subarray(0, 10));
    });
    const fetching = fetchArchive(archiveAt(url), { destination: await folderFor(), pauses: [], idleTimeout: 50 });
    await expect(fetching).rejects.toThrow(/connection was lost/);
  });

  // The device that is always full exists only on Linux.
  onlyIf(existsSync('/dev/full'), it)('should say that the disk is full', async () => {
    const { url, ranges } = await serve(ranged);
    const into = await folderFor();
    await symlink('/dev/full', part(into));
    const { result } = await run(url, { destination: into });
    await expect(result).rejects.toThrow(UsageError);
    await expect(result).rejects.toThrow(/the disk is full/);
    expect(ranges).toHaveLength(1);
  });

  it('should say that the destination cannot be written', async () => {
    const { url } = await serve(ranged);
    const into = await folderFor();
    await writeFile(join(into, 'file'), '');
    const { result } = await run(url, { destination: join(into, 'file') });
    await expect(result).rejects.toThrow(UsageError);
    await expect(result).rejects.toThrow(/cannot be written \((EEXIST|ENOTDIR)\)/);
  });

  it('should refuse a name it does not know, naming those it does', async () => {
    await expect(fetchDataset('cifar', { destination: 'never-made' })).rejects.toThrow(
      /'cifar' cannot be fetched; cifar10 and cifar100 can/,
    );
    await expect(fetchDataset('toString')).rejects.toThrow(UsageError);
  });
});
