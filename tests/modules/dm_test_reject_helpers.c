// SPDX-License-Identifier: GPL-2.0
/*
 * The shims of dm/ once more: an object file may belong to one module only.
 */
#include "dm/helpers.c"
