export { type Mistake, ResilienceConfigError } from './kernel/check.js';
export {
  CATEGORY_DEFAULTS,
  type ErrorClassification,
} from './errors/classifier/error-classification.js';
export type { Classification, Classifier, ErrorCategory } from './kernel/classifier.js';
export type { Clock } from './kernel/clock.js';
export type { CallIds, ErrorContext, ErrorFacts, ErrorSeverity } from './errors/error-context.js';
export type {
  ClassifyAnswer,
  ClassifyMatch,
  ClassifyRule,
} from './errors/classifier/classify.options.js';
export type { RelatedError, Relation } from './errors/correlation/error-correlator.js';
export type { Incident, Symptom } from './errors/correlation/incidents.js';
export type { ErrorGroup, ErrorQuery, ErrorTotals } from './errors/log/error-log.js';
export { ERROR_LOG_DEFAULTS, type ErrorLogOptions } from './errors/log/error-log.options.js';
export type { ErrorAnalysis } from './errors/patterns/error-window.js';
export type { Finding as ErrorFinding } from './errors/patterns/finding.js';
export {
  ERROR_PATTERNS_DEFAULTS,
  type ErrorPatternsOptions,
} from './errors/patterns/patterns.options.js';
export { type RecordOptions, ResilienceErrors } from './errors/resilience-errors.js';
export type { CorrelationSource } from './nest/errors/call-ids.js';
export type { ErrorsConfig } from './nest/errors/errors.config.js';
export { hours, type Milliseconds, minutes, seconds } from './kernel/duration.js';
export type {
  CallRejected,
  CallTimedOut,
  CircuitState,
  CircuitStateChanged,
  ErrorPatternKind,
  ErrorPatternSeen,
  PoisonMessage,
  RecoveryActionTaken,
  BulkheadReclaimed,
  PoliciesChanged,
  RetryDeclined,
  FallbackFailed,
  FallbackKind,
  FallbackUsed,
  LateResult,
  PredicateFailed,
  ProbeLost,
  ResilienceEvent,
  RetryExhausted,
  RetryScheduled,
  Severity,
  UnboundCall,
} from './kernel/event.js';
export type { CategoryMatcher, ErrorMatcher, ErrorMatchers } from './kernel/matcher.js';
export type { Random } from './kernel/random.js';
export { ShuttingDownError } from './pipeline/shutting-down.error.js';
export { isResilienceRejection, type PolicyKind, ResilienceRejection } from './kernel/rejection.js';
export {
  BulkheadFullError,
  BulkheadReentrancyError,
  QueueTimeoutError,
} from './policies/bulkhead/bulkhead-full.error.js';
export type { BulkheadSnapshot } from './policies/bulkhead/bulkhead.js';
export { BULKHEAD_DEFAULTS, type BulkheadOptions } from './policies/bulkhead/bulkhead.options.js';
export {
  CIRCUIT_BREAKER_DEFAULTS,
  type CircuitBreakerOptions,
  GRADUAL_CLOSE_DEFAULTS,
  type GradualCloseOptions,
  type OpenFor,
  type Settled,
} from './policies/circuit-breaker/circuit-breaker.options.js';
export type {
  CircuitBreakerSnapshot,
  CircuitCounters,
} from './policies/circuit-breaker/circuit-breaker.snapshot.js';
export { CircuitOpenError } from './policies/circuit-breaker/circuit-open.error.js';
export type { FallbackSnapshot } from './policies/fallback/fallback.js';
export type { LastTrip, Trip, TripCause, TripOutcome } from './policies/circuit-breaker/trip.js';
export type {
  AlternativeFunction,
  FallbackFunction,
  FallbackOptions,
  FallbackPlan,
} from './policies/fallback/fallback.options.js';
export {
  FALLBACK_CACHE_DEFAULTS,
  type FallbackCacheOptions,
} from './policies/fallback/last-good.options.js';
export type { ManualPermit } from './policies/circuit-breaker/manual-permit.js';
export type { SavedBreaker } from './policies/circuit-breaker/saved-breaker.js';
export type { RateLimitSnapshot } from './policies/rate-limit/rate-limit.js';
export {
  RATE_LIMIT_DEFAULTS,
  type RateLimitOptions,
} from './policies/rate-limit/rate-limit.options.js';
export { RateLimitedError } from './policies/rate-limit/rate-limited.error.js';
export type { AttemptRecord } from './policies/retry/attempt-log.js';
export {
  type BackoffFunction,
  type BeforeRetry,
  type MessageIdFunction,
  RETRY_BUDGET_DEFAULTS,
  RETRY_DEFAULTS,
  type RetryByCategory,
  type RetryOptions,
  type RetryPlanOptions,
} from './policies/retry/retry.options.js';
export { CallTimeoutError } from './policies/time-limit/call-timeout.error.js';
export type { TimeLimitOptions } from './policies/time-limit/time-limit.options.js';
export { type CallContext, currentCall } from './pipeline/current-call.js';
export type { LintCode, LintFinding, LintSuppression } from './pipeline/lint.js';
export type { PolicyDefaults, PolicyOverrides, PolicySet } from './pipeline/policy-set.js';
export { type Decision, explainError, type Explanation } from './pipeline/trace.js';
export {
  type BulkheadReader,
  type CircuitBreakerControl,
  type CircuitBreakerReader,
  type KeyedReader,
  type RateLimitReader,
  ResilienceRegistry,
} from './pipeline/registry.js';
export type { LatencyReport } from './pipeline/statistics/latency.js';
export type {
  CallFigures,
  DependencyFigures,
  TargetFigures,
} from './pipeline/statistics/report.js';
export { ResilienceStatistics, type TotalFigures } from './pipeline/statistics/statistics.js';
export { structuralKey } from './pipeline/structural-key.js';
export type {
  HealthConfig,
  LintOptions,
  ResilienceAsyncConfig,
  ResilienceConfig,
  ResilienceConfigFactory,
} from './nest/config.js';
export {
  Bulkhead,
  CircuitBreaker,
  Fallback,
  type MethodPolicy,
  RateLimit,
  Resilient,
  Retry,
  type Returns,
  TimeLimit,
} from './nest/decorators.js';
export type {
  FallbackAlternativePolicy,
  FallbackListPolicy,
  FallbackMethodPolicy,
  FallbackPolicy,
} from './nest/fallback-types.js';
export type { CallCounts, ProcessFigures } from './health/inputs.js';
export type { HealthMetricOptions } from './health/metric.options.js';
export type { HealthItem, HealthScore } from './health/score.js';
export type { HealthTrend, TrendSample } from './health/trend.js';
export type { HealthBand } from './health/weights.js';
export {
  HealthMetric,
  type MetricDecorator,
  type MetricMethod,
} from './nest/health/health-metric.decorator.js';
export {
  HealthMonitor,
  type HealthReading,
  type HealthSample,
  type MetricReading,
} from './nest/health/health-monitor.js';
export { ResilienceHealthIndicator } from './nest/health/resilience.health.js';
export {
  BulkheadInterceptor,
  CheckpointInterceptor,
  CircuitBreakerInterceptor,
  FallbackInterceptor,
  RateLimitInterceptor,
  ResilienceInterceptor,
  RetryInterceptor,
  TimeLimitInterceptor,
} from './nest/interceptors.js';
export { ApplicationRuntime } from './nest/application-runtime.js';
export { ResilienceExceptionFilter } from './nest/resilience-exception.filter.js';
export { ResilienceModule } from './nest/resilience.module.js';
export { type ExecuteOptions, ResilienceService } from './nest/resilience.service.js';
export { CLOCK, RANDOM } from './nest/tokens.js';
export type { ArgumentPolicy, BulkheadFor, Keyed, TimeLimitFor } from './nest/typed-options.js';
export type { MethodPolicies } from './nest/wrap-object.js';

export type {
  Appended,
  CheckpointInfo,
  CheckpointStore,
  Finding,
  OpenReport,
  PartMeta,
  PartToSave,
  SavedPart,
  Sequence,
  StoreContents,
  StoreState,
  UnchangedPart,
  VerifyReport,
} from './checkpoint/checkpoint-store.js';
export type { Durability } from './checkpoint/durability.js';
export {
  CheckpointError,
  type CheckpointErrorCode,
  CheckpointQuotaError,
} from './checkpoint/checkpoint.error.js';
export type { DeepReadonly } from './checkpoint/collections/deep-readonly.js';
export { DurableList } from './checkpoint/collections/durable-list.js';
export { DurableMap } from './checkpoint/collections/durable-map.js';
export { DurableSet } from './checkpoint/collections/durable-set.js';
export { DurableValue } from './checkpoint/collections/durable-value.js';
export type { Checkpointable } from './checkpoint/component/checkpointable.js';
export type {
  CheckpointComponentOptions,
  CheckpointOptions,
  SnapshotOptions,
} from './checkpoint/component/component.options.js';
export {
  type FileCheckpointOptions,
  FileCheckpointStore,
} from './checkpoint/stores/file/file-checkpoint-store.js';
export type { KeyInput } from './checkpoint/stores/key-input.js';
export { DivergenceError } from './checkpoint/engine/twin.js';
export type { DurableKey } from './checkpoint/state/map-state.js';
export { AttemptVoidError } from './checkpoint/transaction/attempt-void.error.js';
export {
  CheckpointUnavailableError,
  CommitUnknownError,
  ComponentBusyError,
  ComponentDeadlockError,
} from './checkpoint/transaction/checkpoint-rejections.js';
export type { ClassCodec, ClassCodecs } from './checkpoint/value/class-registry.js';
export { type Codec, v8Codec } from './checkpoint/value/codec.js';
export { UnsupportedValueError } from './checkpoint/value/unsupported-value.error.js';
export type { CheckpointConfig } from './nest/checkpoint/checkpoint.config.js';
export {
  Checkpoint,
  CheckpointComponent,
  type CheckpointFor,
  type CheckpointPolicy,
  Durable,
} from './nest/checkpoint/checkpoint.decorators.js';
export { CheckpointService, type RestoreOptions } from './nest/checkpoint/checkpoint.service.js';

export type { CheckAnswer, InvalidKind, IssueInput, ReconnectOptions } from './recovery/hooks.js';
export {
  RECONNECT_DEFAULTS,
  RECOVERY_DEFAULTS,
  type RecoveryOptions,
  SHUTDOWN_DEFAULTS,
  type ShutdownOptions,
} from './recovery/recovery.options.js';
export {
  type CheckDecorator,
  type CheckMethod,
  type ConnectionMethod,
  type HookDecorator,
  IntegrityCheck,
  type InvalidDataMethod,
  OnInvalid,
  OnShutdown,
  type OnShutdownOptions,
  type ParticipantDecorator,
  type Participating,
  Reconnect,
  RecoveryParticipant,
  Remedy,
  type RemedyMethod,
  Resync,
  type ShutdownMethod,
} from './nest/recovery/recovery.decorators.js';
export {
  type DangerOperation,
  type RecoveryAsk,
  recoveryAskOf,
  type RecoveryLevel,
  type RecoveryOperation,
} from './nest/recovery/access/operations.js';
export type { AuditRecord } from './nest/recovery/access/visit.js';
export type {
  RecoveryAccessConfig,
  RecoveryAnswer,
  RecoveryConfig,
  RecoveryToken,
} from './nest/recovery/recovery.config.js';
export {
  type AttachOptions,
  type Closable,
  type DryRunRequest,
  RecoveryManager,
  type RecoveryRequest,
} from './recovery/recovery-manager.js';
export { RecoveryError, type RecoveryErrorCode } from './recovery/recovery.error.js';
export type {
  Backup,
  CorruptionOutcome,
  CorruptionReport,
  DrillReport,
  ErrorRecovery,
  IntegrityIssue,
  InvalidDataReport,
  OperationOutcome,
  PartitionReport,
  RecoveryAction,
  RecoveryActionType,
  RecoveryContext,
  RecoveryState,
  RecoveryStatus,
  RestoreReport,
} from './recovery/recovery-report.js';
