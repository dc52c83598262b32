http_SRCS := $(patsubst $(srcdir)/%,%,$(wildcard $(srcdir)/src/http/*.c))
