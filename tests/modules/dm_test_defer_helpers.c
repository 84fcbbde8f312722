// SPDX-License-Identifier: GPL-2.0
/*
 * A second copy of dm/'s shims: an object file may belong to only one module.
 */
#include "dm/helpers.c"
