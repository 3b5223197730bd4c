import { ContextIdFactory, type ModulesContainer } from '@nestjs/core';
import { emit } from '../pipeline/environment.js';
import type { ApplicationRuntime } from './application-runtime.js';
import type { RuntimeHolder, UnboundListener } from './binding.js';
import { labelOf, type MethodRecord } from './method-record.js';
import { allWrappers } from './wrappers.js';

/**
 * Reports the methods that ran plain: each once for the start of the application, when every hook
 * that may subscribe has run, and once for the time after it.
 */
export class UnboundCalls implements UnboundListener {
  started = false;
  private readonly reported = new Set<MethodRecord>();

  constructor(
    private readonly modules: ModulesContainer,
    private readonly runtime: ApplicationRuntime,
    private readonly holder: RuntimeHolder,
  ) {
    holder.listener = this;
  }

  /** Also between construction and start: a testing module may be compiled and never initialised. */
  get isListening(): boolean {
    return this.started || (!this.runtime.booted && this.isConstructed());
  }

  unboundCall(record: MethodRecord): void {
    if (this.reported.has(record)) return;
    this.reported.add(record);
    emit(this.runtime.env, { type: 'unbound-call', target: labelOf(record) });
  }

  /** The start is over: tells what it kept. */
  settle(): void {
    if (this.started) return;
    for (const record of this.holder.takeUnheard()) this.unboundCall(record);
    this.started = true;
    this.reported.clear();
  }

  private isConstructed(): boolean {
    const any = ContextIdFactory.create(); // what is static has one instance, whatever the context
    return allWrappers(this.modules).every(
      (wrapper) =>
        wrapper.isTransient === true ||
        !wrapper.isDependencyTreeStatic() ||
        wrapper.getInstanceByContextId(any).isResolved === true,
    );
  }
}
