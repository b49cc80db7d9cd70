// Reads {"list": text} on stdin; writes, as JSON, the lines that AdGuard's compiler of lists keeps when it validates them.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(`${process.argv[2]}/package.json`);
require('consola').pause(); // it tells on stdout what it drops
const { validate } = require('@adguard/hostlist-compiler/src/transformations/validate');
const { list } = JSON.parse(readFileSync(0, 'utf8'));
process.stdout.write(JSON.stringify(validate(list.split('\n'))));
