const { Inject } = require('@nestjs/common');
const { CircuitBreaker, Retry, ResilienceRegistry, currentCall } = require('nestjs-bulwark');

class CheckoutService {
  constructor(registry) {
    this.registry = registry;
  }

  async pay() {
    throw new Error('down');
  }

  async seen(currentCallOfTheOther) {
    return [currentCall()?.attempt, currentCallOfTheOther()?.attempt];
  }
}
Inject(ResilienceRegistry)(CheckoutService, undefined, 0);
for (const [key, decorator] of [
  ['pay', CircuitBreaker({ failureThreshold: 1 })],
  ['seen', Retry()],
]) {
  const descriptor = Object.getOwnPropertyDescriptor(CheckoutService.prototype, key);
  decorator(CheckoutService.prototype, key, descriptor);
  Object.defineProperty(CheckoutService.prototype, key, descriptor);
}
module.exports = { CheckoutService };
