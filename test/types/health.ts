import { HealthMetric, type HealthMonitor, type ResilienceHealthIndicator } from 'nestjs-bulwark';

const LIMITS = { warn: 1, critical: 2 };

export class Node {
  @HealthMetric('now', { ...LIMITS, direction: 'below', unit: 's', description: 'what it is' })
  now(): number {
    return 1;
  }

  @HealthMetric('later', LIMITS)
  async later(signal: AbortSignal): Promise<number> {
    return signal.aborted ? 0 : 1;
  }

  // @ts-expect-error a figure is a number
  @HealthMetric('word', LIMITS)
  word(): string {
    return 'many';
  }

  // @ts-expect-error nobody gives it a parameter but the signal
  @HealthMetric('of a peer', LIMITS)
  ofPeer(_peer: string): number {
    return 1;
  }

  @HealthMetric('without')
  without(): number {
    return 1;
  }

  // @ts-expect-error a field is no method
  @HealthMetric('field', LIMITS)
  readonly field = 5;
}

export async function read(
  monitor: HealthMonitor,
  indicator: ResilienceHealthIndicator,
): Promise<number> {
  const { score, status, explanation, metrics, trend } = await monitor.status();
  const band: 'healthy' | 'degraded' | 'warning' | 'critical' = status;
  const points: number = explanation.reduce((sum, item) => sum + item.points, 0);
  const value: number | 'unknown' | undefined = metrics['now']?.value;
  const direction: 'improving' | 'steady' | 'worsening' = trend.direction;
  // @ts-expect-error what was read is not to be changed
  explanation.push();
  const mine = await indicator.score('mine', { downBelow: 40 });
  indicator.errors().errors.status satisfies string;
  return [band, value, direction, mine.mine.status].length + score + points;
}
