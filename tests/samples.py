"""A small sound catalogue with every kind of file and every key in use, and what tests do with it.

`SOUND` maps a path to its TOML text. Tests change one text and look what that does.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from aidns import pipeline
from aidns.catalog.files import Source
from aidns.catalog.lint import lint
from aidns.catalog.load import Loaded, assemble
from aidns.model import Artefact, Catalog, Policy, Problem
from aidns.policy import expand
from aidns.render.formats import FORMATS

NOW = int(dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC).timestamp())
TODAY = dt.date(2026, 11, 22)
NOTHING = pipeline.Memory({}, None)

CATALOG = """\
schema = 1
title = "Sample catalogue"
homepage = "https://lists.example.net/"
issues = "https://lists.example.net/issues"
license = "CC BY 4.0"
"""

VOCAB = """\
schema = 1

[category]
chat = "Answers in conversation"
search = "Answers from web search"
hub = "Publishes models"

[role]
web = "Pages"
app = "Back end of apps"
api = "Programming interface"
auth = "Sign-in"
docs = "Help"
telemetry = "Measurement"

[sharing]
exclusive = "Nothing else is there"
vendor = "Other products are there"
tenant = "One customer's name"

[evidence]
vendor-document = "The vendor says so"
public-list = "A list says so"
press = "A report says so"

[confidence]
normal = "Strong"
low = "Weak"

[separable]
yes = "By names alone"
partly = "Some of it"
no = "Not at all"

[trains]
no = "Not used"
opt-out = "Used unless the user objects"
unknown = "Not found"

[external_storage]
yes = "Kept outside"
no = "Not kept outside"
unknown = "Not found"

[strength]
ban = "Forbidden"
restrict = "Limited"
advise = "Advised against"

[measure_status]
in-force = "Holds"
lifted = "Ended"

[action]
nxdomain = "NXDOMAIN"
nodata = "NODATA"
null = "0.0.0.0 and ::"
refuse = "REFUSED"
walled-garden = "A page that explains"
log-only = "Logged"

[shared_class]
cdn = "Content delivery"

[rejection]
not-generative-ai = "Something else"

[bypass]
canary = "A negative answer keeps a client here"
"""

SHARED = """\
schema = 1

[[shared]]
name = "cdn.example.org"
class = "cdn"
what = "content delivery of many sites"
breaks = "many sites"
scope = "subtree"
note = "no list of ours may touch it"
evidence = [
  { kind = "public-list", url = "https://lists.example.net/cdn", seen = 2026-02-10, says = "names it" },
]
"""

PARKING = """\
schema = 1

[[parking]]
match = "ns"
value = "parked.example.org"
what = "a parking service"
evidence = [{ kind = "public-list", url = "https://lists.example.net/parking", seen = 2026-02-10, says = "names it" }]
"""

REGIONS = """\
schema = 1

[acme-cloud]
values = ["eu-1", "us-1"]
evidence = [{ kind = "vendor-document", url = "https://docs.acme.example/regions", seen = "undated", says = "both" }]
"""

WAIVERS = """\
schema = 1

[[waiver]]
rule = "confidence"
file = "services/gamma-hub.toml"
field = "domains[0]"
reason = "the list is the vendor's own"
decided = 2026-03-01
"""

REJECTED = """\
schema = 1

[[rejected]]
name = "acme-fans.example"
reason = "not-generative-ai"
decided = 2026-03-01
scope = "subtree"
note = "a fan club"
service = "acme-chat"
evidence = [{ kind = "press", url = "https://news.example.net/fans", seen = 2026-02-10, says = "shows it" }]
"""

LOOKALIKES = """\
schema = 1

[[lookalikes]]
name = "acme-free.example"
imitates = "acme-chat"
scope = "subtree"
note = "asks for a password"
evidence = [{ kind = "press", url = "https://news.example.net/free", seen = 2026-02-10, says = "shows it" }]
"""

BYPASS = """\
schema = 1

[[bypass]]
name = "use-other-dns.example"
kind = "canary"
what = "a browser's canary"
breaks = "DNS over HTTPS of that browser"
note = "negative answers only"
evidence = [{ kind = "vendor-document", url = "https://docs.browser.example/c", seen = 2026-02-10, says = "tells it" }]
"""

ACME_CHAT = """\
schema = 1
title = "Acme Chat"
provider = "acme"
categories = ["chat"]
homepage = "https://www.acme.example/"
status = "active"
successor = ""
separable = "partly"
separable_note = "its button in Acme Mail has no name of its own"
hosts_models_of = ["acme"]
also_known_as = ["Acmé 聊天"]
note = "one * of many"

[data]
storage = [{ value = ["KR"], as_of = 2026-02-10, source = "https://acme.example/privacy", note = "Seoul" }]
trains_default = [{ value = ["opt-out"], as_of = 2026-02-10, source = "https://acme.example/privacy" }]
retention = [{ value = ["30 days"], as_of = 2026-02-10, source = "https://acme.example/privacy" }]
external_storage = [{ value = ["yes"], as_of = 2026-02-10, source = "https://acme.example/privacy" }]

[[domains]]
name = "acme.example"
role = "web"
scope = "subtree"
sharing = "exclusive"
confidence = "normal"
note = "the apex"
evidence = [
  { kind = "vendor-document", url = "https://docs.acme.example/allow", seen = 2026-02-10, says = "on the allow-list" },
]

[[domains]]
name = "api.acme.example"
role = "api"
evidence = [{ kind = "vendor-document", url = "https://docs.acme.example/api", seen = "undated", says = "the base URL" }]

[[domains]]
name = "{region}-ai.acme-cloud.example"
role = "api"
regions = "acme-cloud"
evidence = [{ kind = "vendor-document", url = "https://docs.acme.example/api", seen = 2026-02-10, says = "a pattern" }]

[[domains]]
name = "acme.platform.example"
role = "app"
scope = "exact"
sharing = "tenant"
breaks = "voice mode"
evidence = [{ kind = "vendor-document", url = "https://docs.acme.example/allow", seen = 2026-02-10, says = "voice" }]

[[domains]]
name = "_ai.acme-cloud.example"
role = "telemetry"
scope = "exact"
evidence = [{ kind = "vendor-document", url = "https://docs.acme.example/allow", seen = 2026-02-10, says = "settings" }]

[[domains]]
name = "acme-group.example"
role = "web"
sharing = "vendor"
breaks = "the shop"
confidence = "low"
evidence = [{ kind = "press", url = "https://news.example.net/group", seen = 2026-02-10, says = "shows it" }]

[[domains]]
name = "blogspot.com"
role = "docs"
confidence = "low"
covers_suffix = "a sample of a suffix that is covered for a reason"
evidence = [{ kind = "press", url = "https://news.example.net/blog", seen = 2026-02-10, says = "shows it" }]

[[dependencies]]
name = "login.beta.example"
breaks = "sign-in"
role = "auth"
note = "owned by Beta"
evidence = [{ kind = "vendor-document", url = "https://docs.acme.example/allow", seen = 2026-02-10, says = "sign-in" }]

[[dependencies]]
name = "acme.cdn.example.org"
breaks = "pictures"
"""

BETA_SEARCH = """\
schema = 1
title = "Beta Search"
provider = "beta"
categories = ["search", "chat"]
status = "active"

[data]
storage = [{ value = ["US"], as_of = 2026-02-10, source = "https://beta.example/privacy" }]

[[domains]]
name = "beta.example"
role = "web"
evidence = [{ kind = "vendor-document", url = "https://beta.example/allow", seen = 2026-02-10, says = "the apex" }]

[[domains]]
name = "login.beta.example"
role = "auth"
evidence = [{ kind = "vendor-document", url = "https://beta.example/allow", seen = 2026-02-10, says = "sign-in" }]

[[dependencies]]
name = "acme.platform.example"
breaks = "voice answers"
"""

GAMMA_HUB = """\
schema = 1
title = "Gamma Hub"
provider = "gamma"
categories = ["hub"]
hosts_models_of = ["acme", "gamma"]

[[domains]]
name = "gamma.example"
role = "web"
evidence = [{ kind = "public-list", url = "https://lists.example.net/gamma", seen = 2026-02-10, says = "the apex" }]
"""

OLD_BOT = """\
schema = 1
title = "Old Bot"
provider = "acme-labs"
categories = ["chat"]
status = "renamed"
successor = "acme-chat"
"""

FACTS = """\
registered_in = [{{ value = ["{0}"], as_of = 2026-02-10, source = "https://register.example.net/{0}" }}]
parent_in = [{{ value = ["{1}"], as_of = 2026-02-10, source = "https://register.example.net/{1}", note = "by shares" }}]
origin_in = [{{ value = ["{2}"], as_of = 2026-02-10, source = "https://register.example.net/{2}" }}]
"""

UNKNOWN = """\
registered_in = [{ value = ["unknown"], as_of = 2026-02-10 }]
parent_in = [{ value = ["unknown"], as_of = 2026-02-10 }]
origin_in = [{ value = ["unknown"], as_of = 2026-02-10 }]
"""

MEASURE = """\
schema = 1
title = "A ministry bans Acme Chat"
who = "Ministry of Samples"
country = "KR"
target = ["service:acme-chat", "provider:acme", "category:chat", "nexus:KR", "attribute:trains_default=opt-out"]
audience = "its own PCs"
strength = "ban"
status = "in-force"
since = 2026-01-15
until = 2027-01-15
checked = 2026-02-10
dns_cannot = ["remove the app from phones"]
note = "reported twice"

[[citations]]
source = "https://news.example.net/ban"
seen = 2026-02-10
says = "reports the ban"

[[citations]]
source = "seed:001_0123456789abcdef"
seen = "undated"
says = "reports it, too"

[[wording]]
verb = "bans"
strength = "ban"
source = "https://news.example.net/ban"
as_of = 2026-02-10
"""

PRESET = """\
summary = "For offices that take Acme Chat off their PCs."
strength = "ban"
since = 2026-03-01
review_by = 2027-03-01
dns_cannot = ["remove apps from devices", "see a person"]
"""

OFFICE = f"""\
schema = 1
title = "Office: no Acme, no Gamma"
{PRESET}preset = "P01"
owner = "the security officer"
escalate = false
measures = ["kr-samples-2026-01"]

[select]
include = [
  {{ provider_family = ["acme"], sharing = ["exclusive", "vendor", "tenant"] }},
  {{ service = ["beta-search", "gamma-hub"], role = ["web", "auth"], confidence = ["normal"], unknown = "skip" }},
]
exclude = [
  {{ service = ["acme-chat"], role = ["docs"], category = ["chat"], provider = ["acme"], registered_in = ["KR"] }},
  {{ parent_in = ["FR"], origin_in = ["FR"], storage_in = ["FR"], nexus_in = ["FR"], external_storage = ["yes"] }},
  {{ trains_default = ["no"], hosts_models_of = ["acme"], separable = ["no"] }},
]

[action]
default = "nxdomain"
fallback = ["null"]
walled_garden = {{ a = "192.0.2.10", aaaa = "2001:db8::10" }}

[[scope]]
name = "desks"
tags = ["office", "desk"]
networks = ["10.20.0.0/16"]
note = "everybody"

[[scope]]
name = "research"
tags = ["lab"]

[[exception]]
service = ["beta-search"]
reason = "project 12"
approved_by = "CISO"
expires = 2027-02-28
scopes = ["research"]

[[block]]
name = "exact.other.example"
scope = "exact"
reason = "one page"

[[block]]
name = "below.help.acme.example"
reason = "a second chat"

[[allow]]
name = "help.acme.example"
scope = "subtree"
reason = "manuals"
approved_by = "CISO"
expires = 2027-01-31

[[allow]]
name = "status.acme.example"
scope = "exact"
reason = "is it down?"

[[allow]]
name = "elsewhere.example"
reason = "nothing of ours blocks it"
"""

OPEN = f"""\
schema = 1
title = "Open: Acme without its manuals"
{PRESET}
[select]
include = [{{ service = ["acme-chat"] }}]

[action]
default = "nodata"
fallback = ["null"]

[[allow]]
name = "help.acme.example"
reason = "manuals"

[[allow]]
name = "status.acme.example"
scope = "exact"
reason = "is it down?"
"""

WATCH = f"""\
schema = 1
title = "Watch: log only"
{PRESET.replace('"ban"', '"advise"')}
[select]
include = [{{ category = ["chat"] }}]

[action]
default = "log-only"
"""

GARDEN = f"""\
schema = 1
title = "Garden: a page that explains"
{PRESET}
[select]
include = [{{ service = ["acme-chat"] }}]

[action]
default = "walled-garden"
fallback = ["null"]
walled_garden = {{ a = "192.0.2.10", aaaa = "2001:db8::10" }}
"""

GARDEN_NAME = f"""\
schema = 1
title = "Garden: the name of a page that explains"
{PRESET}
[select]
include = [{{ service = ["acme-chat"], role = ["web", "api"] }}]

[action]
default = "walled-garden"
fallback = ["nxdomain", "null"]
walled_garden = {{ cname = "blocked.office.example" }}
"""

GUARD = f"""\
schema = 1
title = "Guard: canaries of browsers"
{PRESET}
[select]
bypass = true

[action]
default = "nxdomain"
"""

STRICTER = """\
schema = 1
title = "Stricter than Open, look-alikes included"
extends = "open"
summary = "Open and the look-alikes."
strength = "restrict"
since = 2026-03-01
review_by = 2027-03-01
dns_cannot = ["find every look-alike"]

[select]
lookalikes = true
include = [{ service = ["beta-search"] }]

[action]
default = "null"
"""

SOUND: dict[str, str] = {
    "catalog.toml": CATALOG,
    "vocab.toml": VOCAB,
    "shared.toml": SHARED,
    "parking.toml": PARKING,
    "regions.toml": REGIONS,
    "waivers.toml": WAIVERS,
    "rejected/misc.toml": REJECTED,
    "lookalikes/misc.toml": LOOKALIKES,
    "bypass/misc.toml": BYPASS,
    "providers/acme.toml": 'schema = 1\ntitle = "Acme"\nlegal_names = ["Acme Co., Ltd."]\naffiliates = ["acme-group"]\n'
    + 'note = "of Seoul"\n' + FACTS.format("KR", "KR", "KR"),
    "providers/acme-group.toml": 'schema = 1\ntitle = "Acme Group"\n' + FACTS.format("KR", "KR", "KR"),
    "providers/acme-labs.toml": 'schema = 1\ntitle = "Acme Labs"\naffiliates = ["acme-group"]\n'
    + FACTS.format("US", "KR", "US"),
    "providers/beta.toml": 'schema = 1\ntitle = "Beta"\n' + FACTS.format("US", "US", "US"),
    "providers/gamma.toml": 'schema = 1\ntitle = "Gamma"\n' + UNKNOWN,
    "services/acme-chat.toml": ACME_CHAT,
    "services/beta-search.toml": BETA_SEARCH,
    "services/gamma-hub.toml": GAMMA_HUB,
    "services/old-bot.toml": OLD_BOT,
    "measures/kr-samples-2026-01.toml": MEASURE,
    "policies/office.toml": OFFICE,
    "policies/open.toml": OPEN,
    "policies/watch.toml": WATCH,
    "policies/garden.toml": GARDEN,
    "policies/garden-name.toml": GARDEN_NAME,
    "policies/guard.toml": GUARD,
    "policies/stricter.toml": STRICTER,
}  # fmt: skip


def loaded(files: Mapping[str, str] = SOUND) -> Loaded:
    """Read texts as if they were files."""
    return assemble({path: Source(path, text) for path, text in files.items()})


def problems(files: Mapping[str, str] = SOUND) -> tuple[Problem, ...]:
    """Everything that is wrong with the texts."""
    return lint(loaded(files))


def catalog(files: Mapping[str, str] = SOUND) -> Catalog:
    """The catalogue that the texts make."""
    return loaded(files).catalog


def policy(policy_id: str, of: Catalog | None = None) -> Policy:
    """One of the catalogue's policies, written out."""
    whole = of or catalog()
    return expand(whole.policies[policy_id], whole.policies)


def prepared(
    policy_id: str, of: Catalog | None = None, scope: str | None = None, memory: pipeline.Memory = NOTHING
) -> pipeline.Prepared:
    """A policy selected and compiled."""
    whole = of or catalog()
    return pipeline.prepare(whole, policy(policy_id, whole), NOW, memory, scope)


def artefact(policy_id: str, fmt: str, of: Catalog | None = None, scope: str | None = None) -> Artefact:
    """A policy in a format, serial and time fixed."""
    whole = of or catalog()
    made = prepared(policy_id, whole, scope)
    return pipeline.artefact(whole, made, FORMATS[fmt], NOTHING, lambda _digest: (NOW, NOW))


def content(text: str) -> list[str]:
    """The lines of a list that are no comments: neither `#` nor `;` begins anything else."""
    return [line for line in text.split("\n") if line and line[0] not in "#;"]
