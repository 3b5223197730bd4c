// oxlint-disable no-console -- a script, run by hand
// `npm run peers [-- --write]`: the same situations against this library and its peers, each in a process of its
// own and in real time. `--write` puts the table and the list of the corpus into docs/peer-faults.md,
// `--list` the list alone.
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { corpus, listOf, summaryOf } from './corpus.mjs';
import { cockatiel } from './peers/cockatiel.mjs';
import { opossum } from './peers/opossum.mjs';
import { ours } from './peers/ours.mjs';
import { ROWS } from './peers/rows.mjs';

const contestants = { ours, cockatiel, opossum };
const script = fileURLToPath(import.meta.url);
const [mode, name, row] = process.argv.slice(2);

if (mode === '--one') {
  // what a contestant throws into the event loop would have ended the process
  let uncaught = false;
  process.on('uncaughtException', () => (uncaught = true));
  const { cases } = await contestants[name]();
  const { ok, saw } = await cases[row]();
  say(uncaught ? { ok: false, saw: `${saw}, and an uncaught exception` } : { ok, saw });
} else if (mode === '--exit') {
  const { openBreaker } = await contestants[name]();
  await openBreaker();
  // and nothing more: an open breaker must not keep the process
} else if (mode === '--list') {
  await write(theCorpus());
} else {
  await main();
}

function say(answer) {
  process.stdout.write(JSON.stringify(answer), () => process.exit(0));
}

function run(...args) {
  return new Promise((resolve) => {
    execFile(process.execPath, [script, ...args], { timeout: 10_000 }, (error, stdout) => {
      resolve({ error, stdout });
    });
  });
}

async function measure(peer, { id }) {
  if (id === '60') {
    const { error } = await run('--exit', peer);
    return { ok: !error, saw: error ? 'still there after 10 s' : 'exits by itself' };
  }
  const { stdout, error } = await run('--one', peer, id);
  if (stdout === '') return { ok: false, saw: error?.killed ? 'hangs' : String(error) };
  return JSON.parse(stdout);
}

async function main() {
  const peers = Object.keys(contestants);
  const lines = [
    `| # | Situation | ${peers.map((peer) => `${peer} ${versionOf(peer)}`).join(' | ')} | nestjs-resilience 2.1.3 (not run here) |`,
    `| --- | --- | ${peers.map(() => '---').join(' | ')} | --- |`,
  ];
  const failures = [];
  for (const row of ROWS) {
    const cells = [];
    for (const peer of peers) {
      const answer = row.without?.[peer] ?? (await settled(peer, row));
      if (peer === 'ours' && !answer.startsWith('ok')) failures.push(row.id);
      cells.push(answer);
    }
    lines.push(`| ${row.id} | ${row.title} | ${cells.join(' | ')} | ${row.reference ?? '–'} |`);
    console.log(lines.at(-1));
  }
  const unstable = lines.filter((line) => line.includes('unstable:'));
  if (unstable.length > 0) {
    console.error('some answers were not the same twice; nothing is written');
    process.exitCode = 1;
  } else if (mode === '--write') {
    const node = `Run on Node ${process.versions.node}.`;
    await write({ ...theCorpus(), node, table: lines.join('\n') });
  }
  if (failures.length > 0) {
    console.error(`ours fails: ${failures.join(', ')}`);
    process.exitCode = 1;
  }
}

/** The answer if it is the same twice: a busy machine must accuse nobody. */
async function settled(peer, row) {
  const answers = [];
  for (let i = 0; i < 2; i += 1) answers.push(cellOf(await measure(peer, row)));
  return answers[0] === answers[1] ? answers[0] : `unstable: ${answers.join(', then ')}`;
}

function cellOf({ ok, saw }) {
  return `${ok ? 'ok' : '**fails**'} (${saw})`;
}

function versionOf(peer) {
  const file = peer === 'ours' ? '../../package.json' : `../../node_modules/${peer}/package.json`;
  return JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8')).version;
}

/** Replaces what stands between the marks in the document. */
async function write(parts) {
  const file = fileURLToPath(new URL('../../docs/peer-faults.md', import.meta.url));
  let text = readFileSync(file, 'utf8');
  for (const [part, content] of Object.entries(parts)) {
    const marks = new RegExp(`(<!-- ${part} -->)[^]*?(<!-- /${part} -->)`);
    text = text.replace(marks, (_all, open, close) => `${open}\n\n${content}\n\n${close}`);
  }
  const config = await resolveConfig(file);
  writeFileSync(file, await format(text, { ...config, filepath: file }));
}

function theCorpus() {
  const tests = corpus();
  return { summary: summaryOf(tests), list: listOf(tests) };
}
