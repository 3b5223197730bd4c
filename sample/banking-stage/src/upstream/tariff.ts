/** One unit, and one more for each hundred moved. */
export function feeFor(amount: number): number {
  return 1 + Math.floor(amount / 100);
}
