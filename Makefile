# crm_analytics: build, install and test.
#
#   make, make install, make installcheck   the usual PGXS way, against the user's own server
#   make check, make demo, make bench ...    on a throwaway server; work before PostgreSQL is installed
#
# The second group is answered by test/make.mk, which must not need pg_config; PGXS is read only for the first.

DRIVER_GOALS = check check-all check-clang check-sanitize demo demo-psql demo-stop dist deb deb-try freeze bench fuzz soak nightly bootstrap report-assets
ifneq (,$(filter $(DRIVER_GOALS),$(MAKECMDGOALS)))
CRM_SOURCE := $(dir $(abspath $(lastword $(MAKEFILE_LIST))))
include $(CRM_SOURCE)test/make.mk
else

# Out-of-tree builds: PGXS sets srcdir only when it is read, the lists below need it before.
CRM_SOURCE := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))

EXTENSION = crm_analytics
EXTVERSION := $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" $(CRM_SOURCE)/crm_analytics.control)
MODULE_big = crm_analytics

ROOMS = kernel common audience tag segment behavior scoring report mining
CRM_OBJECTS := $(sort $(foreach room,$(ROOMS),$(patsubst $(CRM_SOURCE)/%.c,%.o,$(wildcard $(CRM_SOURCE)/src/$(room)/*.c))))
OBJS = $(CRM_OBJECTS)

# The install script is the concatenation of the rooms' parts, in this order.
SQL_PARTS = \
	src/common/preamble.sql \
	src/common/agg_state.sql \
	src/common/progress.sql \
	src/audience/type.sql \
	src/audience/ops.sql \
	src/audience/access.sql \
	src/audience/agg.sql \
	src/audience/bsi.sql \
	src/segment/rfm.sql \
	src/segment/rfm_segment.sql \
	src/segment/percentile.sql \
	src/segment/bins.sql \
	src/segment/outliers.sql \
	src/segment/lookalike.sql \
	src/behavior/window_funnel.sql \
	src/behavior/funnel.sql \
	src/behavior/retention.sql \
	src/behavior/sequence.sql \
	src/behavior/sequence_next_node.sql \
	src/behavior/sessionize.sql \
	src/behavior/calendar.sql \
	src/behavior/timeline_type.sql \
	src/behavior/timeline_agg.sql \
	src/behavior/event_attribute.sql \
	src/behavior/timeline_edit.sql \
	src/behavior/timeline_kinds.sql \
	src/behavior/decay.sql \
	src/behavior/habit.sql \
	src/behavior/rhythm.sql \
	src/behavior/preferred.sql \
	src/behavior/trend.sql \
	src/behavior/attribution.sql \
	src/behavior/path_transform.sql \
	src/behavior/touch_paths.sql \
	src/behavior/timelines.sql \
	src/behavior/activity.sql \
	src/behavior/activity_timeline.sql \
	src/behavior/activity_tables.sql \
	src/behavior/timeline_events.sql \
	src/behavior/timeline_paths.sql \
	src/behavior/unmet_demand.sql \
	src/behavior/app.sql \
	src/scoring/model.sql \
	src/scoring/linear_fit.sql \
	src/scoring/trees_fit.sql \
	src/scoring/logistic_fit.sql \
	src/scoring/reasons.sql \
	src/scoring/purchases.sql \
	src/scoring/survival.sql \
	src/scoring/woe_fit.sql \
	src/scoring/isolation_forest.sql \
	src/scoring/measures.sql \
	src/scoring/ratings.sql \
	src/scoring/cox_fit.sql \
	src/segment/kmeans.sql \
	src/scoring/concordance.sql \
	src/scoring/train.sql \
	src/segment/personas.sql \
	src/scoring/model_catalog.sql \
	src/mining/association.sql \
	src/mining/recommend.sql \
	src/tag/catalogue.sql \
	src/tag/population.sql \
	src/tag/rule.sql \
	src/tag/rule_calls.sql \
	src/tag/tag_list.sql \
	src/tag/scan.sql \
	src/tag/due.sql \
	src/tag/define.sql \
	src/tag/track.sql \
	src/tag/readers.sql \
	src/tag/explain.sql \
	src/tag/govern.sql \
	src/tag/views.sql \
	src/tag/check.sql \
	src/tag/title.sql \
	src/tag/lookalike.sql \
	src/tag/segment_define.sql \
	src/tag/segment_tools.sql \
	src/tag/lookalike_audience.sql \
	src/tag/lineage.sql \
	src/tag/history.sql \
	src/tag/segment_changes.sql \
	src/tag/suggest_tags.sql \
	src/tag/quick_start.sql \
	src/tag/taxonomy.sql \
	src/tag/taxonomy_bank.sql \
	src/tag/taxonomy_retail.sql \
	src/behavior/timeline_store.sql \
	src/behavior/timeline_now.sql \
	src/tag/training_rows.sql \
	src/report/reports.sql \
	src/report/chart_frame.sql \
	src/report/chart_lines.sql \
	src/report/chart_grids.sql \
	src/report/chart_paths.sql \
	src/report/chart_models.sql \
	src/report/report_query.sql \
	src/report/report_standard.sql \
	src/report/bi_views.sql \
	src/report/library.sql \
	src/report/words.sql \
	src/report/page_style.sql \
	src/report/page_script.sql \
	src/report/page.sql \
	src/report/report_parts.sql \
	src/report/report_behaviour.sql \
	src/report/report_stored.sql \
	src/report/report.sql \
	src/report/next_action.sql \
	src/report/customer_page.sql \
	src/tag/references.sql \
	src/tag/ownership.sql

DATA_built = $(EXTENSION)--$(EXTVERSION).sql
# Steps from released versions to later ones; the versions' own scripts beside them are for tests.
DATA := $(patsubst $(CRM_SOURCE)/%,%,$(wildcard $(CRM_SOURCE)/src/upgrade/$(EXTENSION)--*--*.sql))
EXTRA_CLEAN = $(EXTENSION)--$(EXTVERSION).sql results regression.diffs regression.out

# make installcheck: the same tests as in make check, one after the other in one database.  pg_regress does not make
# the rooms' folders for its results.
REGRESS = setup $(sort $(patsubst $(CRM_SOURCE)/sql/%.sql,%,$(wildcard $(CRM_SOURCE)/sql/*/*.sql)))
REGRESS_OPTS = --inputdir=$(CRM_SOURCE) --encoding=UTF8
REGRESS_PREP = results-folders

PG_CPPFLAGS = -I$(CRM_SOURCE)/src
override with_llvm = no

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# Out of the tree, only sources are looked for in it: an object or script that an in-tree build left there is not ours.
# PGXS sets srcdir by itself, and VPATH only where the server was built out of its own tree.
ifneq ($(CURDIR),$(CRM_SOURCE))
override VPATH =
override srcdir := $(CRM_SOURCE)
vpath %.c $(CRM_SOURCE)
vpath %.control $(CRM_SOURCE)
endif

# After PGXS, which sets CFLAGS itself: ours are added to the packager's, never put in their place.
# Products and sums are rounded one by one everywhere: where a processor joins them, answers would differ by machine.
override CFLAGS += -std=gnu11 -ffp-contract=off -Wall -Wextra -Werror -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers -fvisibility=hidden

# The server's flags are those of the compiler that it was built with: clang may not know them all.
ifneq (,$(findstring clang,$(CC)))
override CFLAGS += -Wno-ignored-optimization-argument -Wno-unknown-warning-option -Wno-unused-command-line-argument -Wno-ignored-attributes
endif

all: $(DATA_built)

# Behind the first part comes the statement that lists clashes with what the schema holds already.
SQL_PART_FILES = $(addprefix $(CRM_SOURCE)/,$(SQL_PARTS))
$(EXTENSION)--$(EXTVERSION).sql: $(SQL_PART_FILES) $(wildcard $(CRM_SOURCE)/src/common/*.awk) $(CRM_SOURCE)/Makefile
	LC_ALL=C awk -f $(CRM_SOURCE)/src/common/clashes.awk $(SQL_PART_FILES) > clashes.sql
	LC_ALL=C awk -f $(CRM_SOURCE)/src/common/ascii.awk $(firstword $(SQL_PART_FILES)) clashes.sql \
		$(wordlist 2,$(words $(SQL_PART_FILES)),$(SQL_PART_FILES)) > $@.new
	rm clashes.sql
	mv $@.new $@

# PGXS does not make the rooms' folders for an out-of-tree build.  Absolute names, since VPATH would find the tree's own.
ROOM_FOLDERS = $(addprefix $(CURDIR)/src/,$(ROOMS))
$(OBJS): | $(ROOM_FOLDERS)
$(ROOM_FOLDERS):
	mkdir -p $@

.PHONY: results-folders
results-folders:
	mkdir -p $(sort $(addprefix results/,$(dir $(REGRESS))))

# Headers are few and central: any change of one rebuilds everything, which takes seconds.
$(OBJS): $(wildcard $(CRM_SOURCE)/src/*/*.h)

endif
