# Goals that work before PostgreSQL is installed: everything runs on a throwaway server over a staged build.
# No pg_config and no PGXS here.  The scripts do the work; this file only names it.

SHELL = /bin/bash
CRM_TEST = $(CRM_SOURCE)test

.PHONY: $(DRIVER_GOALS)
.NOTPARALLEL:

bootstrap:
	@$(CRM_TEST)/bootstrap.sh check

# All tests, or a part: make check ONLY=unit, make check ONLY="regress isolation" ROOM=audience
check:
	@$(CRM_TEST)/check.sh $(ONLY)

# The whole library and its regression tests as clang compiles them.
check-clang:
	@CRM_CC=clang $(CRM_TEST)/check.sh unit regress isolation

# All tests on every major version: here, and in chroots of the Debian suites that have the others.
check-all:
	@$(CRM_TEST)/versions.sh $(VERSIONS)

# Regression tests with the library under UBSan; kernels under ASan and UBSan.
check-sanitize:
	@CRM_FLAVOUR=ubsan $(CRM_TEST)/check.sh unit fuzz regress isolation

# Coverage-guided fuzzing of the kernels, FUZZ_SECONDS for each target.
fuzz:
	@$(CRM_TEST)/fuzz.sh

# Writers, readers, refreshes, reports and trainings at once, for SOAK_SECONDS.
soak:
	@$(CRM_TEST)/soak.sh

# Everything that is too slow for every change.
nightly:
	@$(CRM_TEST)/nightly.sh

# At a release: keeps the version's install script, from which later versions must be reached.
freeze:
	@$(CRM_TEST)/freeze.sh

# The release as files; the Debian package of it, and what installing that in a fresh chroot gives.
dist:
	@$(CRM_TEST)/dist.sh

deb:
	@$(CRM_TEST)/deb.sh build

deb-try:
	@$(CRM_TEST)/deb.sh try

bench:
	@$(CRM_TEST)/bootstrap.sh bench
	@$(CRM_TEST)/bench/run.sh

# The library that draws the charts of reports, from npm; ECHARTS=/path/to/echarts.min.js takes a copy instead.
report-assets:
	@$(CRM_TEST)/report_assets.sh

demo:
	@$(CRM_TEST)/bootstrap.sh demo
	@$(CRM_SOURCE)demo/run.sh run

demo-psql:
	@$(CRM_TEST)/bootstrap.sh demo
	@$(CRM_SOURCE)demo/run.sh psql

demo-stop:
	@$(CRM_SOURCE)demo/run.sh stop
