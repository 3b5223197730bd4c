// The tests of the corpus, read from their files: for the document, and for the test that it is complete.
import { readdirSync, readFileSync } from 'node:fs';

const here = new URL('.', import.meta.url);
const LINK = /^\s*\/\/ (https:\/\/github\.com\/\S+)( \(not read\))?$/;
const NAME = /(['"`])((?:\S+ ){1,3}?#\d+): (.*?)\1/;

/** Every link with the test that it stands above. */
export function corpus() {
  return readdirSync(here)
    .filter((file) => file.endsWith('.spec.ts'))
    .sort()
    .flatMap((file) => testsOf(file));
}

function testsOf(file) {
  const lines = readFileSync(new URL(file, here), 'utf8').split('\n');
  return lines.flatMap((line, i) => {
    const [, link, unread] = LINK.exec(line) ?? [];
    if (link === undefined) return [];
    // the name may stand some lines on, behind the table of an `it.each`
    const code = lines.slice(i + 1, i + 8).join(' ');
    const [, , bug, promise] = NAME.exec(code) ?? [];
    const passes = !code.trimStart().startsWith('it.failing');
    return [
      {
        file,
        link,
        read: unread === undefined,
        bug,
        promise: promise?.replace(' (dice %d)', '').replace('%s', '…'),
        passes,
      },
    ];
  });
}

const TOPICS = {
  'half-open.spec.ts': 'Half-open: counted probes, and never stuck',
  'late-results.spec.ts': 'Late results',
  'breaker.spec.ts': 'Circuit breaker',
  'retry.spec.ts': 'Retry and delays',
  'cancellation.spec.ts': 'Signals and time limits',
  'bulkhead.spec.ts': 'Bulkhead',
  'decorators.spec.ts': 'Decorators and interceptors',
  'binding.spec.ts': 'Binding and sharing',
  'fallback-and-health.spec.ts': 'Fallback and health',
};

export function summaryOf(tests) {
  const projects = new Set(tests.map(({ link }) => link.split('/').slice(3, 5).join('/')));
  const passing = tests.filter(({ passes }) => passes).length;
  return `${passing} of ${tests.length} pass: threads of ${projects.size} projects.`;
}

export function listOf(tests) {
  return Object.entries(TOPICS)
    .map(([file, topic]) => {
      const own = tests.filter((test) => test.file === file);
      const lines = own.map(
        ({ bug, link, promise, read, passes }) =>
          `- [${bug}](${link})${read ? '' : '†'}: ${promise}${passes ? '' : ' **(fails)**'}`,
      );
      return `### ${topic}\n\n\`test/corpus/${file}\`\n\n${lines.join('\n')}`;
    })
    .join('\n\n');
}
