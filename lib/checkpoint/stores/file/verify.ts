import type { CheckpointInfo, Finding, VerifyReport } from '../../checkpoint-store.js';
import { CheckpointError } from '../../checkpoint.error.js';
import { newestFirst } from '../store-checks.js';
import { ioFailure } from './failures.js';
import { parseFileName } from './file-names.js';
import { codeOf, type FileSystem } from './file-system.js';
import { FOREIGN, misplacement, readManifest } from './generations.js';
import { readSegment } from './journal-reader.js';
import { isKeyError, Keyring } from './keyring.js';
import { infoOf, type Manifest } from './manifest.js';
import { readNamed } from './named-checkpoints.js';
import { recover } from './recovery.js';
import { chainOf, findHead, readSegments } from './segments.js';
import { problemOfState } from './state-file.js';
import { StoreDirectory } from './store-directory.js';

/** How often a look is begun again because files came or went meanwhile. */
const LOOKS = 5;

/**
 * Reads and checks everything in a directory and changes nothing; also beside a process that uses it.
 *
 * @throws CheckpointError `CHECKPOINT_IO`, `CHECKPOINT_VERSION`, `CHECKPOINT_KEY`
 */
export async function verifyDirectory(
  path: string,
  fs: FileSystem,
  keys = Keyring.none,
): Promise<VerifyReport> {
  try {
    const { directory, findings } = await StoreDirectory.at(fs, path, false, keys);
    for (let look = 1; ; look += 1) {
      const before = await directory.list();
      if (!before.some(isOfStore)) {
        throw new CheckpointError(
          'CHECKPOINT_IO',
          `There is no store in ${path}: neither a journal nor a lock.`,
        );
      }
      const report = await lookAt(directory, before, findings);
      // an owner that works beside us removes what we were about to read: that is no damage
      if (report?.ok === true) return report;
      const after = new Set(await directory.list());
      const moved = before.some((name) => !after.has(name)) || after.size !== before.length;
      if (report !== undefined && (!moved || look === LOOKS)) return report;
      if (look === LOOKS) {
        throw new CheckpointError('CHECKPOINT_IO', `${path} changes faster than it can be read.`);
      }
    }
  } catch (error) {
    throw ioFailure(`${path} cannot be verified`, error);
  }
}

/** Whoever opened one left that behind. Where it is missing, an empty volume would pass for a whole store. */
function isOfStore(name: string): boolean {
  const kind = parseFileName(name)?.kind;
  return kind === 'segment' || kind === 'lock';
}

/** Undefined if a file went away while it was looked at. */
async function lookAt(
  directory: StoreDirectory,
  names: readonly string[],
  findings: readonly Finding[],
): Promise<VerifyReport | undefined> {
  const look = new Look(directory, names, findings);
  try {
    return await look.report();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

class Look {
  private readonly findings: Finding[];
  private readonly checkpoints: CheckpointInfo[] = [];
  private readonly looked = new Map<string, string | undefined>();
  private journal = { from: 1, to: 0, bytes: 0 };
  /** Undefined where no journal says. */
  private store: string | undefined;
  /** Whether something cannot be looked at without a key. */
  private isSealed = false;

  constructor(
    private readonly directory: StoreDirectory,
    private readonly names: readonly string[],
    findings: readonly Finding[],
  ) {
    this.findings = [...findings];
  }

  async report(): Promise<VerifyReport> {
    await this.lookAtJournal();
    for (const name of this.names.toSorted()) {
      const parsed = parseFileName(name);
      if (parsed?.kind === 'manifest') await this.lookAtManifest(name, parsed);
    }
    await this.lookAtNamed();
    await this.tryToOpen();
    if (this.isSealed)
      this.warn('.', 'it is sealed: only the checksums of the journal were checked');
    return {
      ok: !this.findings.some(({ level }) => level === 'damage'),
      checkpoints: this.checkpoints.toSorted(newestFirst),
      journal: this.journal,
      findings: this.findings,
    };
  }

  private damage(file: string, problem: string): void {
    this.findings.push({ level: 'damage', file, problem });
  }

  private async lookAtJournal(): Promise<void> {
    const files = await readSegments(this.directory, this.names);
    for (const { name, problem } of files) if (problem !== undefined) this.damage(name, problem);
    // what that means for the journal, `tryToOpen` says
    const sound = files.filter(({ header }) => header !== undefined);
    const { head } = findHead(this.directory, sound);
    if (head === undefined) return;
    this.store = head.header!.store;
    const { segments } = chainOf(head, files);
    this.journal.from = segments[0]!.header.first;
    for (const segment of segments) {
      try {
        const entries = readSegment(this.directory, segment, Infinity);
        let step = await entries.next();
        while (step.done !== true) step = await entries.next();
        const { last, length, tornBytes } = step.value;
        this.journal = { ...this.journal, to: last, bytes: this.journal.bytes + length };
        if (tornBytes > 0) this.warn(segment.name, `${tornBytes} bytes at its end are no batch`);
      } catch (error) {
        if (!isDamage(error)) throw error;
        this.damage(segment.name, error.message);
      }
    }
  }

  private warn(file: string, problem: string): void {
    this.findings.push({ level: 'warning', file, problem });
  }

  private async lookAtManifest(
    name: string,
    parsed: Parameters<typeof misplacement>[1],
  ): Promise<void> {
    const manifest = await this.unlessSealed(() => readManifest(this.directory, name));
    if (manifest === undefined) return;
    const problem =
      typeof manifest === 'string'
        ? manifest
        : this.store !== undefined && manifest.store !== this.store
          ? FOREIGN
          : misplacement(manifest, parsed);
    if (typeof manifest === 'string' || problem !== undefined) {
      this.damage(name, problem!);
      return;
    }
    const known = this.checkpoints.some(({ id }) => id === infoOf(manifest).id);
    if (!known) await this.lookAtStates(this.directory, manifest, '');
  }

  private async lookAtStates(
    directory: StoreDirectory,
    manifest: Manifest,
    prefix: string,
  ): Promise<void> {
    this.checkpoints.push(infoOf(manifest));
    for (const part of manifest.parts) {
      for (const name of part.files) {
        const key = prefix + name;
        if (this.looked.has(key)) continue;
        const problem = await problemOrMissing(directory, name, part);
        this.looked.set(key, problem);
        if (problem !== undefined) this.damage(key, problem);
      }
    }
  }

  /** Undefined if we look without a key at what has one. */
  private async unlessSealed<T>(look: () => Promise<T>): Promise<T | undefined> {
    try {
      return await look();
    } catch (error) {
      if (!isKeyError(error) || !this.directory.keys.isBlind) throw error;
      this.isSealed = true;
      return undefined;
    }
  }

  private async lookAtNamed(): Promise<void> {
    const { whole, bad } = await readNamed(this.directory, this.store);
    for (const { name, problem, error } of bad) {
      if (error === undefined) this.damage(`named/${name}`, problem);
      else this.warn(`named/${name}`, problem);
    }
    for (const { directory, manifest } of whole) {
      await this.lookAtStates(directory, manifest, `named/${manifest.name}/`);
    }
  }

  /** Whether all of it together can be opened. */
  private async tryToOpen(): Promise<void> {
    try {
      const found = await this.unlessSealed(() => recover(this.directory));
      for (const [component, reason] of found?.lost ?? [])
        this.damage('.', `"${component}" is lost: ${reason}`);
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.damage('.', error.message);
    }
  }
}

async function problemOrMissing(
  ...[directory, name, part]: Parameters<typeof problemOfState>
): Promise<string | undefined> {
  try {
    return await problemOfState(directory, name, part);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 'it is missing';
    throw error;
  }
}

const isDamage = (error: unknown): error is CheckpointError =>
  error instanceof CheckpointError && error.code === 'CHECKPOINT_DAMAGED';
