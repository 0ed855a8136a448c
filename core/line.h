/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_CORE_LINE_H
#define VIGIL_CORE_LINE_H

/* What different threads write stays this many bytes apart: two cache lines, because the adjacent
 * one is fetched along, and the line size itself of some aarch64 cores. */
#define VG_LINE 128

#endif
