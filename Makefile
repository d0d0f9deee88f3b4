# Lianhu. Plain `make` lists what there is.
# Every path is relative or quoted: the clone may lie where the path has spaces.
SHELL := /bin/sh
MAKEFLAGS += --no-print-directory
PY := .venv/bin/python
LIANHU := $(PY) -m lianhu_tools
CHECK := $(LIANHU) check

.DEFAULT_GOAL := help
.PHONY: help setup demo up down status clean token topics lag parked psql logs trace replay rebuild refill \
	backup restore fenced unfence drill-restore \
	chaos bench drill test check test-unit test-contract test-integration test-browser test-e2e security audit lock words

help: ## this list
	@awk 'BEGIN { FS = ":.*## " } /^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z0-9-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' Makefile

##@ Begin here
setup: ## build the virtual environment, fetch the broker's programs, make the keys
	@sh tools/setup.sh

demo: setup ## start everything, seed a town, play the stories, show what came of them
	@$(LIANHU) up
	@$(LIANHU) demo

test: setup ## all checks: lint, types, floors, unit, contract, integration, end to end
	@$(CHECK)

##@ The local system
up: setup ## start everything in the background
	@$(LIANHU) up

down: ## end everything; the data stay
	@if [ -x $(PY) ]; then $(LIANHU) down; fi

status: setup ## every process and whether it is ready (json=1 for scripts)
	@$(LIANHU) status $(if $(json),--json)

clean: ## end everything and remove its data, logs and keys
	@if [ -x $(PY) ]; then $(LIANHU) clean; fi

token: setup ## an access token: role=clerk at=441702008205 [person=UUID]; `make -s` prints nothing else
	@$(LIANHU) token "$(role)" --at "$(at)" --person "$(person)"

##@ Looks
topics: setup ## the topics and how many events each holds
	@$(LIANHU) topics

lag: setup ## how far every service has read (json=1 for scripts)
	@$(LIANHU) lag $(if $(json),--json)

parked: setup ## events that could not be taken in (json=1); one of them: s=dispatch id=… [retry="why" | drop="why" [yes=1]]
	@$(LIANHU) parked "$(s)" $(if $(id),--id "$(id)") $(if $(retry),--retry "$(retry)") $(if $(drop),--drop "$(drop)") \
		$(if $(yes),--yes) $(if $(json),--json)

psql: setup ## a service's database: s=requests [c="select 1"]
	@$(LIANHU) psql "$(s)" $(if $(c),-c "$(c)")

logs: setup ## a service's logs, or kafka's, postgres': s=dispatch; id=<request id>: one request's lines of all
	@$(LIANHU) logs "$(s)" $(if $(id),--id "$(id)")

trace: setup ## one request's journey: id=<request id> (json=1 for scripts)
	@$(LIANHU) trace "$(id)" $(if $(json),--json)

##@ Repair
replay: setup ## build reporting's tables anew: s=reporting; any service, what it missed since: s=dispatch from=2026-11-20
	@$(LIANHU) replay "$(s)" $(if $(from),--from "$(from)")

rebuild: setup ## a lost database of reporting or notifications, from the topics: s=reporting [yes=1]
	@$(LIANHU) rebuild "$(s)" $(if $(yes),--yes)

backup: setup ## the whole cluster, and its log from then on; s=requests: a dump of that service alone
	@$(LIANHU) backup "$(s)"

restore: setup ## one service from a backup, its log to the end: s=requests [from=<backup>] [to=<time>] [yes=1]
	@$(LIANHU) restore "$(s)" $(if $(from),--from "$(from)") $(if $(to),--to "$(to)") $(if $(yes),--yes)

fenced: setup ## what a restore found its topics to be ahead of: s=requests (json=1 for scripts)
	@$(LIANHU) fenced "$(s)" $(if $(json),--json)

unfence: setup ## let a fenced key go on: s=requests key=<key, or all> why=…
	@$(LIANHU) unfence "$(s)" --key "$(key)" --why "$(why)"

refill: setup ## publish a topic's kept events again: topic=lianhu.requests.v1
	@$(LIANHU) refill "$(topic)"

##@ Checks, one by one
check: setup ## lint, format, types, floors, dependencies
	@$(CHECK) house

test-unit: setup ## rules and parts, without I/O
	@$(CHECK) unit

test-contract: setup ## events against their schemas
	@$(CHECK) contract

test-integration: setup ## against a real broker and a real database
	@$(CHECK) integration

test-browser: setup ## pages in a browser: walks, keyboard, accessibility (Chromium; skipped with the reason without one)
	@$(CHECK) browser

test-e2e: setup ## all services together
	@$(CHECK) e2e

security: setup ## the tests of attacks, with their figures; examples=300 storm=20000 for a long look
	@$(if $(examples),LIANHU_EXAMPLES=$(examples)) $(if $(storm),LIANHU_STORM=$(storm)) \
		$(PY) -m pytest -q -s -o timeout=0 tests/integration/security

audit: setup ## known weaknesses of what the lock names (pip-audit; asks the network, outside of `make test`)
	@$(PY) -m uv tool run --from 'pip-audit>=2.10,<3' pip-audit --strict --disable-pip --require-hashes -r requirements.lock

chaos: setup ## faults under traffic: all cases once, or seeds=10, or for minutes=… [seed=…] [case=kills] [short=1]
	@PYTHONPATH=tests $(PY) -m chaos $(if $(minutes),--minutes $(minutes)) --seed $(or $(seed),1) \
		$(if $(seeds),--seeds $(seeds)) $(if $(case),--case $(case)) $(if $(short),--short)

bench: setup ## ratios beside bare floors, into docs/benchmarks.md (only=intake: that check, no page; rounds=5 rows=100000)
	@$(if $(rows),BENCH_ROWS=$(rows)) PYTHONPATH=tests $(PY) -m bench $(only) $(if $(rounds),--rounds $(rounds)) $(if $(only),,--write docs/benchmarks.md)

drill: setup ## two, four, one worker and API of dispatch under load (seconds=15 a stage, clients=10)
	@PYTHONPATH=tests $(PY) -m scaling $(if $(seconds),--seconds $(seconds)) $(if $(clients),--clients $(clients))

drill-restore: setup ## lose a database and bring it back: log to the end, and from an older dump with fences
	@$(PY) -m pytest -q -s -o timeout=0 tests/restoring/test_drill_restore.py

words: setup ## bring the catalogues of pages up to date with what pages say
	@$(PY) -m lianhu_tools.words

lock: ## write requirements.lock for what the distributions ask for (upgrade=1: the newest of all)
	@$(PY) -m uv pip compile -q $(if $(upgrade),--upgrade) pyproject.toml shared/pyproject.toml shared/web/pyproject.toml services/*/pyproject.toml \
		--group pyproject.toml:checks --group pyproject.toml:tests --group pyproject.toml:build \
		--universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
		--no-emit-package lianhu-kit --no-emit-package lianhu-web --no-emit-package lianhu --no-header --no-annotate -o requirements.lock
