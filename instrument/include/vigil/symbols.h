/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_SYMBOLS_H
#define VIGIL_SYMBOLS_H

#include <vigil/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Functions, files and lines for the stacks in reports, by elfutils' libdw.
 *
 *     struct vg_liveness_config watch = VG_LIVENESS_INIT;
 *     struct vg_symbols *symbols = vg_symbols_open();
 *     watch.symbolize = vg_symbols_name;
 *     watch.symbolize_arg = symbols;
 *     ...
 *     vg_symbols_close(symbols);              (after vg_liveness_close())
 *
 * Link vigil::symbols for it. Without debugging information there are names and no lines; without it, and without
 * a symbol, the report falls back to what the dynamic linker knows.
 *
 * Memory   libdw's, from malloc(): some megabytes, for modules that a stack has been in.
 * Threads  One at a time.
 * Cost     The first name in a module reads its symbols, and its debugging information: milliseconds, or
 *          tenths of a second for a large one. Nothing before the first name.
 */
struct vg_symbols;

/* NULL: no memory. vg_symbols_name() then leaves every text empty. */
VG_API struct vg_symbols *vg_symbols_open(void);
VG_API void vg_symbols_close(struct vg_symbols *symbols);

/* "name+0x12 at dir/file.c:31", for struct vg_liveness_config. `symbols` is what vg_symbols_open() returned. */
VG_API void vg_symbols_name(void *symbols, const void *address, char *text, size_t size);

#ifdef __cplusplus
}
#endif
#endif
