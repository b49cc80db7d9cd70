// Reads {"list": text, "names": [name, …]} on stdin; writes one word a name: BLOCK, ALLOW, HOST or -.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(`${process.argv[2]}/package.json`);
const { DnsEngine, RuleStorage, StringRuleList } = require('@adguard/tsurlfilter');
const { list, names } = JSON.parse(readFileSync(0, 'utf8'));
const engine = new DnsEngine(new RuleStorage([new StringRuleList(1, list, true)]), true);
for (const name of names) {
  const { basicRule, hostRules } = engine.match(name);
  console.log(basicRule ? (basicRule.isAllowlist() ? 'ALLOW' : 'BLOCK') : hostRules?.length ? 'HOST' : '-');
}
