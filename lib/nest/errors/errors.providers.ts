import type { Provider } from '@nestjs/common';
import { ErrorLog } from '../../errors/log/error-log.js';
import { ErrorPatterns } from '../../errors/patterns/error-patterns.js';
import type { Finding } from '../../errors/patterns/finding.js';
import { ResilienceErrors } from '../../errors/resilience-errors.js';
import type { Clock } from '../../kernel/clock.js';
import { emit, type Environment, reportOf } from '../../pipeline/environment.js';
import { ApplicationRuntime } from '../application-runtime.js';
import type { ResilienceConfig } from '../config.js';
import { CALL_FIGURES, ERROR_FIGURES } from '../health/figures.js';
import { CLOCK, CONFIG } from '../tokens.js';
import { loadActiveTrace } from './active-span.js';
import { IdSource } from './call-ids.js';
import { ErrorWatch } from './error-watch.js';
import { InjectionGraph } from './injection-graph.js';

/** What findings about the whole application are said of. */
const EVERYTHING = 'application';

/** What is known of the errors of one application. */
export const errorsProviders: Provider[] = [
  {
    provide: ErrorPatterns,
    useFactory: ({ errors }: ResilienceConfig, clock: Clock, { env }: ApplicationRuntime) =>
      new ErrorPatterns(
        errors?.patterns ?? {},
        (finding, phase) => tell(env, finding, phase === 'ended'),
        clock.now(),
      ),
    inject: [CONFIG, CLOCK, ApplicationRuntime],
  },
  {
    provide: IdSource,
    useFactory: async ({ errors }: ResilienceConfig, { env }: ApplicationRuntime) =>
      new IdSource(
        errors?.correlation,
        await loadActiveTrace(),
        errors?.context === true,
        reportOf(env, 'ResilienceModule'),
      ),
    inject: [CONFIG, ApplicationRuntime],
  },
  InjectionGraph,
  {
    provide: ResilienceErrors,
    useFactory: (
      { errors }: ResilienceConfig,
      clock: Clock,
      { env }: ApplicationRuntime,
      patterns: ErrorPatterns,
      ids: IdSource,
      graph: InjectionGraph,
      watch: ErrorWatch,
    ) => {
      const known = new ResilienceErrors({
        clock,
        classifier: env.classifier,
        log: new ErrorLog(clock, errors?.log, reportOf(env, 'ResilienceModule')),
        patterns,
        idsOf: (args) => ids.of(args),
        dependsOn: (component) => graph.dependsOn(component),
        watch,
      });
      env.errors = known;
      return known;
    },
    inject: [
      CONFIG,
      CLOCK,
      ApplicationRuntime,
      ErrorPatterns,
      IdSource,
      InjectionGraph,
      ErrorWatch,
    ],
  },
  {
    provide: ErrorWatch,
    useFactory: (runtime: ApplicationRuntime, patterns: ErrorPatterns, clock: Clock) =>
      new ErrorWatch(runtime, patterns, clock),
    inject: [ApplicationRuntime, ErrorPatterns, CLOCK],
  },
  { provide: CALL_FIGURES, useExisting: ErrorWatch },
  {
    provide: ERROR_FIGURES,
    useFactory: (errors: ResilienceErrors) => ({
      analyse: () => errors.analyse(),
      active: () =>
        errors.patterns().map(({ kind, component, port, count }) => ({
          kind,
          ...(component === undefined ? {} : { component }),
          ...(port === undefined ? {} : { port }),
          count,
        })),
    }),
    inject: [ResilienceErrors],
  },
];

function tell(env: Environment, finding: Finding, ended: boolean): void {
  const { kind, component = EVERYTHING, port, fingerprint, category, count, details } = finding;
  emit(env, {
    type: 'error-pattern',
    target: component,
    pattern: kind,
    ended,
    ...(port === undefined ? {} : { port }),
    ...(fingerprint === undefined ? {} : { fingerprint }),
    ...(category === undefined ? {} : { category }),
    count,
    figures: details,
  });
}
