/**
 * A Slurm of one node on this machine, for one test file: its own munge, controller and node daemon on free ports, in a
 * temporary folder, without systemd. Needs Debian's packages slurm-wlm and munge, or similar ones.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { temporaryFolder } from './cli.js';

/** Daemons are often in folders that only root's PATH contains. */
const PATH = `${process.env.PATH ?? ''}:/usr/sbin:/usr/local/sbin`;

/** VITMIM_REQUIRE_SLURM=1, as in CI, requires Slurm: then the tests run, and fail without it. */
export const hasSlurm: boolean =
  process.env.VITMIM_REQUIRE_SLURM === '1' ||
  ['munged', 'slurmctld', 'slurmd', 'sbatch'].every((program) => isInstalled(program));

function isInstalled(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program}`], { env: { ...process.env, PATH } }).status === 0;
}

/**
 * Starts Slurm and sets the environment of this process, and of all that it starts, to use it.
 *
 * @returns a function that stops it after the last job has ended.
 */
export async function startSlurm(): Promise<() => Promise<void>> {
  const folder = temporaryFolder();
  chmodSync(folder.path, 0o755); // munge's clients check the folder of its socket
  for (const name of ['state', 'spool', 'log']) mkdirSync(join(folder.path, name));
  const path = (name: string): string => join(folder.path, name);
  const conf = path('slurm.conf');
  const [controllerPort, nodePort] = await freePorts();
  writeFileSync(path('munge.key'), randomBytes(1024), { mode: 0o600 });
  writeFileSync(conf, configuration(folder.path, controllerPort, nodePort));
  process.env.SLURM_CONF = conf;

  const daemons: Daemon[] = [];
  const stop = async (): Promise<void> => {
    for (const daemon of daemons.reverse()) await daemon.stop();
    delete process.env.SLURM_CONF;
    folder.remove();
  };
  try {
    const munge = ['key-file=munge.key', 'pid-file=munge.pid', 'log-file=log/munge.log', 'seed-file=munge.seed'];
    const mungeFiles = munge.map((option) => `--${option.replace('=', `=${folder.path}/`)}`);
    daemons.push(new Daemon('munged', ['--foreground', '--force', `--socket=${path('munge')}`, ...mungeFiles]));
    daemons.push(new Daemon('slurmctld', ['-D']));
    daemons.push(new Daemon('slurmd', ['-D', '-N', NODE]));
    await until('its node is idle', () => ask('sinfo', ['--noheader', '--format=%T']).startsWith('idle'));
  } catch (error) {
    const logs = ['munge', 'controller', 'node'].map((name) => tail(path(`log/${name}.log`)));
    await stop();
    throw new Error(`Slurm does not start (${String(error)}):\n${logs.join('\n')}`, { cause: error });
  }
  return async () => {
    ask('scancel', ['--user', userInfo().username]);
    await until('no job is left', () => ask('squeue', ['--noheader']) === '');
    await stop();
  };
}

/** Waits until a condition on Slurm holds; rejects after a minute. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 240; tries++) {
    if (await holds()) return;
    await sleep(250);
  }
  throw new Error(`waited a minute in vain until ${what}\n${ask('squeue', ['--array', '--states=all'])}`);
}

/** The output of one of Slurm's programs; empty if it fails. */
export function ask(program: string, args: readonly string[]): string {
  return spawnSync(program, args, { encoding: 'utf8' }).stdout;
}

const NODE = hostname().split('.')[0]!;

class Daemon {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;

  constructor(program: string, args: readonly string[]) {
    this.#child = spawn(program, args, { stdio: 'ignore', env: { ...process.env, PATH } });
    this.#ended = once(this.#child, 'exit').catch(() => undefined);
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.#ended;
  }
}

async function freePorts(): Promise<[number, number]> {
  const servers = [createServer(), createServer()];
  await Promise.all(servers.map((server) => once(server.listen(0, '127.0.0.1'), 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return [ports[0]!, ports[1]!];
}

function tail(file: string): string {
  try {
    return `${file}:\n${readFileSync(file, 'utf8').split('\n').slice(-15).join('\n')}`;
  } catch {
    return `${file}: not written`;
  }
}

/** `cred_expire` is also the delay of a requeued job; two cores on every machine. */
const configuration = (folder: string, controllerPort: number, nodePort: number): string => `
ClusterName=vitmim
SlurmctldHost=${NODE}(127.0.0.1)
SlurmctldPort=${controllerPort}
SlurmdPort=${nodePort}
SlurmUser=${userInfo().username}
SlurmdUser=${userInfo().username}
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket=${folder}/munge,cred_expire=5
StateSaveLocation=${folder}/state
SlurmdSpoolDir=${folder}/spool
SlurmctldPidFile=${folder}/controller.pid
SlurmdPidFile=${folder}/node.pid
SlurmctldLogFile=${folder}/log/controller.log
SlurmdLogFile=${folder}/log/node.log
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/builtin
SchedulerParameters=sched_interval=1,batch_sched_delay=0,defer
KillWait=10
MpiDefault=none
ReturnToService=2
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
NodeName=${NODE} NodeAddr=127.0.0.1 CPUs=2 RealMemory=1000 State=UNKNOWN
PartitionName=main Nodes=${NODE} Default=YES MaxTime=INFINITE State=UP
`;
