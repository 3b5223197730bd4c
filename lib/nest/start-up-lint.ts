import { Inject, Injectable } from '@nestjs/common';
import { SafeLogger } from './safe-logger.js';
import { lint, type LintFinding, lintTarget, unsuppressed } from '../pipeline/lint.js';
import type { Target } from '../pipeline/target.js';
import { ApplicationRuntime } from './application-runtime.js';
import type { ResilienceConfig } from './config.js';
import { CONFIG } from './tokens.js';

/** Tells of what is legal and probably not meant: at the start, and of names that come later. */
@Injectable()
export class StartUpLint {
  private readonly logger = new SafeLogger('Bulwark');
  private readonly toldLater = new Set<string>();
  private started = false;

  constructor(
    private readonly runtime: ApplicationRuntime,
    @Inject(CONFIG) private readonly config: ResilienceConfig,
  ) {}

  /** What there is to say of the application as it is now. */
  get findings(): LintFinding[] {
    const { policies: overrides, presets } = this.config;
    const { usedPresets } = this.runtime;
    return this.admitted(lint(this.runtime.allTargets(), { overrides, presets, usedPresets }));
  }

  /** Everything is registered that there is at the start. */
  start(): void {
    this.started = true;
    if (this.runtime.enabled) this.findings.forEach((finding) => this.tell(finding));
  }

  /** A name of `execute` has come; there may be many of them, so each code is said once. */
  registered(target: Target): void {
    if (!this.started || !this.runtime.enabled) return;
    for (const finding of this.admitted(lintTarget(target, this.runtime.allTargets()))) {
      if (this.toldLater.has(finding.code)) continue;
      this.toldLater.add(finding.code);
      this.tell(finding);
    }
  }

  private admitted(findings: readonly LintFinding[]): LintFinding[] {
    const { lint: options } = this.config;
    return options === false ? [] : unsuppressed(findings, options?.suppress ?? []);
  }

  private tell({ code, target, problem }: LintFinding): void {
    this.logger.warn(`${target}: ${problem} [${code}]`);
  }
}
