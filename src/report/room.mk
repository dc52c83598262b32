report_SRCS := $(patsubst $(srcdir)/%,%,$(wildcard $(srcdir)/src/report/*.c))
