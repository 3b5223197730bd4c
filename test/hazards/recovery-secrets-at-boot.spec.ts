import { bootError, closeAll } from '../nest/support/app.js';

afterEach(closeAll);

const SECRET = 'f3a9c1e7b5d2084693ac1f7e5b0d2846';

describe('a token in the wrong place stops the boot', () => {
  it.each([
    ['for access', { access: SECRET }],
    ['for tokens', { access: { tokens: SECRET } }],
    ['as the name of a level', { access: { tokens: { [SECRET]: 'read' } } }],
    ['beside a way in', { access: { [SECRET]: true } }],
    ['as guards', { access: { guards: SECRET } }],
    ['as authorize', { access: { authorize: SECRET } }],
    ['among guards', { access: { guards: [SECRET] } }],
    ['as a number', { access: { tokens: { read: 12345678901234567890n } } }],
    ['for recovery', SECRET],
  ])('%s, and is not in the message', async (_, recovery) => {
    const { message } = await bootError({ bulwark: { recovery: recovery as never } });

    expect(message).toContain('recovery');
    expect(message).not.toContain(SECRET.slice(0, 20));
    expect(message).not.toContain('12345678901234567890');
  });
});
