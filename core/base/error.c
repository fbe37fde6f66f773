/* SPDX-License-Identifier: MIT */
#include <dpcxr/error.h>

G_DEFINE_QUARK(dpcxr-error-quark, dpcxr_error)
