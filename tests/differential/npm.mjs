// Compares versions as npm does: reads lines `A<TAB>B`, writes `<`, `=`, `>`, or `!` where semver refuses one.
// Takes the semver module that npm itself brings along; where npm keeps it is the first argument, strict or loose the second.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const [root, mode] = process.argv.slice(2);
const require = createRequire(join(root, 'npm', 'package.json'));
const { SemVer } = require('semver');
const options = { loose: mode === 'loose' };

const relation = (line) => {
  try {
    const [left, right] = line.split('\t').map((version) => new SemVer(version, options));
    return '<=>'[left.compare(right) + 1];
  } catch (error) {
    if (error instanceof TypeError && error.message.toLowerCase().includes('version')) return '!';
    throw error;
  }
};
const lines = readFileSync(0, 'utf8').split('\n').slice(0, -1);
process.stdout.write(lines.map((line) => relation(line) + '\n').join(''));
