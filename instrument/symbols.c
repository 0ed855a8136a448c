/* SPDX-License-Identifier: MIT */
#include <vigil/symbols.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <elfutils/libdwfl.h>

/* One view of the process's modules: libdwfl's own object under a name of ours. */

static char *debug_path; /* NULL: where the distribution keeps it */

static const Dwfl_Callbacks callbacks = {
    .find_elf = dwfl_linux_proc_find_elf,
    .find_debuginfo = dwfl_standard_find_debuginfo,
    .debuginfo_path = &debug_path,
};

struct vg_symbols *vg_symbols_open(void)
{
    return (struct vg_symbols *)dwfl_begin(&callbacks);
}

void vg_symbols_close(struct vg_symbols *symbols)
{
    if (symbols != NULL)
        dwfl_end((Dwfl *)symbols);
}

/* The module an address is in; looks anew at what is mapped if that is not known. */
static Dwfl_Module *find_module(Dwfl *dwfl, Dwarf_Addr address)
{
    Dwfl_Module *module = dwfl_addrmodule(dwfl, address);

    if (module != NULL)
        return module;
    dwfl_report_begin(dwfl);
    if (dwfl_linux_proc_report(dwfl, getpid()) != 0)
        return NULL;
    if (dwfl_report_end(dwfl, NULL, NULL) != 0)
        return NULL;
    return dwfl_addrmodule(dwfl, address);
}

/* The last two parts of a path. */
static const char *short_path(const char *path)
{
    const char *at = path + strlen(path);
    int slashes = 0;

    while (at > path && !(at[-1] == '/' && ++slashes == 2))
        at--;
    return at;
}

static const char *find_by_index(Dwfl_Module *module, Dwarf_Addr address, int *number)
{
    Dwfl_Line *line = dwfl_module_getsrc(module, address);

    return line != NULL ? dwfl_lineinfo(line, NULL, number, NULL, NULL, NULL) : NULL;
}

/* clang writes no index of addresses (.debug_aranges): each unit has to be asked. */
static const char *find_by_unit(Dwfl_Module *module, Dwarf_Addr address, int *number)
{
    Dwarf_Addr bias;
    Dwarf_Die *unit = NULL;
    Dwarf_Line *line;

    do
        unit = dwfl_module_nextcu(module, unit, &bias);
    while (unit != NULL && dwarf_haspc(unit, address - bias) != 1);
    if (unit == NULL)
        return NULL;
    line = dwarf_getsrc_die(unit, address - bias);
    return line != NULL && dwarf_lineno(line, number) == 0 ? dwarf_linesrc(line, NULL, NULL) : NULL;
}

static void add_line(Dwfl_Module *module, Dwarf_Addr address, char *text, size_t size)
{
    int number;
    const char *file = find_by_index(module, address, &number);

    if (file == NULL)
        file = find_by_unit(module, address, &number);
    if (file != NULL && size > 0)
        snprintf(text, size, " at %s:%d", short_path(file), number);
}

void vg_symbols_name(void *symbols, const void *address, char *text, size_t size)
{
    const Dwarf_Addr at = (Dwarf_Addr)(uintptr_t)address;
    Dwfl_Module *module;
    const char *name;
    GElf_Off offset;
    GElf_Sym symbol;
    size_t length;

    text[0] = '\0';
    module = symbols != NULL ? find_module((Dwfl *)symbols, at) : NULL;
    if (module == NULL)
        return;
    name = dwfl_module_addrinfo(module, at, &offset, &symbol, NULL, NULL, NULL);
    if (name == NULL)
        return;
    snprintf(text, size, "%s+0x%llx", name, (unsigned long long)offset);
    length = strlen(text);
    add_line(module, at, text + length, size - length);
}
