// The plain method, whose cost is taken off everybody's: of a refusal that of a call which answers.
import { CASES } from '../cases.mjs';
import { makeService } from './methods.mjs';

export async function bare() {
  const plain = Object.keys(CASES).filter((title) => title !== 'open-rejected');
  const service = new (makeService(Object.fromEntries(plain.map((title) => [title, []]))))();
  const call = (title) => () => (value) => service[title](value);
  return {
    ...Object.fromEntries(plain.map((title) => [title, call(title)])),
    'open-rejected': call('breaker'),
  };
}
