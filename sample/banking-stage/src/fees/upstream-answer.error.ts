/** The service answered, but not with a quote. `status` lets the policies judge it as HTTP does. */
export class UpstreamAnswerError extends Error {
  override readonly name = 'UpstreamAnswerError';

  constructor(
    readonly status: number,
    problem: string,
  ) {
    super(`fees and compliance answered ${status}: ${problem}`);
  }
}
