// Reads {"list": text, "names": [name, …], "client": address or ""} on stdin; writes one word a name: BLOCK, ALLOW, HOST or -.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(`${process.argv[2]}/package.json`);
const { DnsEngine, Request, RequestType, RuleStorage, StringRuleList } = require('@adguard/tsurlfilter');
const { list, names, client } = JSON.parse(readFileSync(0, 'utf8'));
const engine = new DnsEngine(new RuleStorage([new StringRuleList(1, list, true)]), true);

// DnsEngine.match knows no client; this is what it does, with one.
function matchFor(name) {
  const request = new Request(`http://${name}/`, `http://${name}/`, RequestType.Document);
  request.isHostnameRequest = true;
  request.clientIP = client;
  return { basicRule: engine.networkEngine.match(request) };
}

for (const name of names) {
  const { basicRule, hostRules } = client ? matchFor(name) : engine.match(name);
  console.log(basicRule ? (basicRule.isAllowlist() ? 'ALLOW' : 'BLOCK') : hostRules?.length ? 'HOST' : '-');
}
