import { template } from '../../../../lib/errors/log/template.js';

describe('the template of a message', () => {
  it.each([
    ['', ''],
    ['connection lost', 'connection lost'],
    ['after 12 of 3 tries', 'after <n> of <n> tries'],
    ['took 1.5s, 30ms', 'took <n>s, <n>ms'],
    ['connect ECONNREFUSED 127.0.0.1:5432', 'connect ECONNREFUSED <ip>:<n>'],
    ['connect ECONNREFUSED ::1:5432', 'connect ECONNREFUSED <ip>'],
    ['no route to fe80::1ff.', 'no route to <ip>.'],
    ['user 6f1ed002-ab5a-4d7a-8c1b-0123456789ab!', 'user <id>!'],
    ['object 507f1f77bcf86cd799439011', 'object <id>'],
    ['at 0xdeadbeef1 and 0x123456', 'at <id> and <id>'],
    ['order 01ARZ3NDEKTSV4RRFFQ69G5FAV', 'order <id>'],
    ['user_42 in shard7', 'user_<n> in shard<n>'],
    ['user:42/orders/7', 'user:<n>/orders/<n>'],
    ['GET https://h:80/p?q=1 failed', 'GET <url> failed'],
    ['mail a.b@c.org bounced', 'mail <mail> bounced'],
    ["ENOENT: no such file, open '/tmp/x y'", 'ENOENT: no such file, open <text>'],
    ['cannot open /var/lib/x: denied', 'cannot open <path> denied'],
    ['cannot open C:\\x\\y or ../z', 'cannot open <path> or <path>'],
    ['and/or application/json', 'and/or application/json'],
    [`column "a" of 'b' and \`c\``, 'column <text> of <text> and <text>'],
    ["can't read what isn't there", "can't read what isn't there"],
    [`said "it's 5"`, 'said <text>'],
    ['an open "quote of 5', 'an open "quote of <n>'],
    ['{"a":1,"b":"c"}', '{<text>:<n>,<text>:<text>}'],
    ['id=5f3a9c7b (x=3)', 'id=<id> (x=<n>)'],
    ['2024-01-02T03:04:05.678Z late', '<n>-<n>-<n>T<n>:<n>:<n>Z late'],
    ['größe 5', 'größe <n>'],
  ])('of %p is %p', (message, expected) => {
    expect(template(message)).toBe(expected);
  });
});
