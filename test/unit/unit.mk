# Builds the kernels and their tests without PostgreSQL, in the current folder:
#
#   make -f .../unit.mk SOURCE=... FLAVOUR=plain|sanitized      unit tests, replays of the fuzz corpora
#   make -f .../unit.mk SOURCE=... FLAVOUR=fuzz                  libFuzzer programs
#
# Goes on after an error, so that one test that does not compile fails alone (make -k).

WARNINGS = -std=gnu11 -ffp-contract=off -Wall -Wextra -Werror -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers
SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

CC_plain = gcc
FLAGS_plain = -O2 -g
CC_sanitized = clang
FLAGS_sanitized = -O1 -g $(SANITIZE)
CC_fuzz = clang
FLAGS_fuzz = -O1 -g $(SANITIZE) -fsanitize=fuzzer-no-link

ifneq (,$(UNIT_CC))
CC_plain = $(UNIT_CC)
endif
CC := $(CC_$(FLAVOUR))
COMPILE = $(CC) $(WARNINGS) $(FLAGS_$(FLAVOUR)) -I$(SOURCE)/src -I$(SOURCE)/test/unit

HEADERS := $(wildcard $(SOURCE)/src/kernel/*.h $(SOURCE)/test/unit/*.h $(SOURCE)/test/fuzz/*.h)
KERNELS := $(patsubst $(SOURCE)/src/kernel/%.c,kernel_%.o,$(wildcard $(SOURCE)/src/kernel/*.c))
TESTS := $(patsubst $(SOURCE)/test/unit/%.c,%,$(wildcard $(SOURCE)/test/unit/test_*.c $(SOURCE)/test/unit/oracle_*.c))
FUZZERS := $(patsubst $(SOURCE)/test/fuzz/%.c,%,$(wildcard $(SOURCE)/test/fuzz/fuzz_*.c))

ifeq ($(FLAVOUR),fuzz)
all: $(FUZZERS)
else
all: $(TESTS) $(FUZZERS:fuzz_%=replay_%)
endif

kernel_%.o: $(SOURCE)/src/kernel/%.c $(HEADERS)
	$(COMPILE) -c -o $@ $<

# An archive: a test that brings a replacement of its own for a function of the kernels may do so.
libkernel.a: $(KERNELS)
	rm -f $@
	ar rcs $@ $^

test_%: $(SOURCE)/test/unit/test_%.c $(HEADERS) libkernel.a
	$(COMPILE) -o $@ $< libkernel.a -lm

oracle_%: $(SOURCE)/test/unit/oracle_%.c $(HEADERS) libkernel.a
	$(COMPILE) -o $@ $< libkernel.a -lroaring -lm

replay_%: $(SOURCE)/test/fuzz/fuzz_%.c $(SOURCE)/test/fuzz/replay.c $(HEADERS) libkernel.a
	$(COMPILE) -o $@ $< $(SOURCE)/test/fuzz/replay.c libkernel.a -lm

fuzz_%: $(SOURCE)/test/fuzz/fuzz_%.c $(HEADERS) libkernel.a
	$(COMPILE) -fsanitize=fuzzer -o $@ $< libkernel.a -lm
