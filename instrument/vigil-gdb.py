# SPDX-License-Identifier: MIT
"""Tasks and their await trees in gdb, of a running process or of a core file.

    (gdb) source vigil-gdb.py
    (gdb) vg tasks            every task of every executor, a line for each
    (gdb) vg bt               the await tree of every task
    (gdb) vg bt 1.5           of one

Nothing of the program is called, so it works on a core file; it reads what debug information describes. In a live process the
threads are stopped wherever they are: the tree of a task that is being polled at that moment may be half built.
"""

import gdb

KIND_ASYNC = 3
INIT, RUNNING, KEPT, PARKED, DONE = range(5)
STATE = {INIT: "not started", KEPT: "kept", PARKED: "PARKED", DONE: "done"}
DEPTH_MAX = 64


def pointer(name):
    return gdb.lookup_type("struct " + name).pointer()


def text(value):
    return value.string() if int(value) else "?"


def number(value):
    return int(value)


# ---- what gdb knows of the program ---------------------------------------------------------------


def executors():
    executor = gdb.parse_and_eval("vg_execs")
    while int(executor):
        yield executor
        executor = executor["next"]


def slots(executor):
    """Every slot that ever held a task."""
    slab = executor["slabs"]["all"].cast(pointer("vg_slab"))
    header = (gdb.lookup_type("struct vg_slab").sizeof + 63) & ~63
    while int(slab):
        first = int(slab) + header
        for i in range(number(slab["bump"])):
            yield gdb.Value(first + i * number(slab["slot_size"])).cast(pointer("vg_task"))
        slab = slab["next"]


def tasks():
    for executor in executors():
        for task in slots(executor):
            if number(task["id"]) & 1:
                yield task


def id_of(task):
    """As reports print it: the worker that spawned it, and the how-manieth that was."""
    value = number(task["id"]) >> 1
    worker = value & 127
    return "%s.%d" % ("out" if worker == 64 else worker, value >> 7)


def place_of(task):
    place = task["place"].cast(pointer("vg_place"))
    return "%s:%d" % (text(place["file"]), number(place["line"])) if int(place) else "?"


def state_of(task):
    return "running or queued" if number(task["word"]) & 1 else "idle"


# ---- futures ---------------------------------------------------------------------------------------


def address(value):
    """The future that a library struct begins with, or one that is pointed to."""
    if value.type.strip_typedefs().code == gdb.TYPE_CODE_PTR:
        return value.cast(pointer("vg_future"))
    return value.address.cast(pointer("vg_future"))


def members(type_name, *paths):
    """Children that are members, or pointed to by members."""

    def children(fut):
        node = fut.cast(pointer(type_name)).dereference()
        for path in paths:
            value = node
            for part in path.split("."):
                value = value[part]
            yield address(value)

    return children


def counted(type_name, array, path=None):
    def children(fut):
        node = fut.cast(pointer(type_name)).dereference()
        for i in range(number(node["count"])):
            element = node[array][i]
            yield address(element[path] if path else element)

    return children


def set_children(fut):
    item = fut.cast(pointer("vg_set"))["running"]
    while int(item):
        yield address(item)
        item = item["next"]


CHILDREN = {
    "select": counted("vg_select", "arms", "fut"),
    "select_biased": counted("vg_select", "arms", "fut"),
    "join": counted("vg_join", "children"),
    "try_join": counted("vg_try_join", "children", "fut"),
    "timeout": members("vg_timeout", "child", "nap.fut"),
    "interval": members("vg_interval", "nap.fut"),
    "set": set_children,
    "set_item": members("vg_set_item", "child"),
    "stream_source": members("vg_source", "child"),
    "stream_map": members("vg_sift", "up"),
    "stream_filter": members("vg_sift", "up"),
    "stream_take": members("vg_sift", "up"),
    "stream_chunks": members("vg_chunks", "up"),
    "stream_buffered": members("vg_buffered", "up", "next.fut"),
    "stream_drain": members("vg_drain", "stream"),
}


def both_children(fut):
    up = fut.cast(pointer("vg_both"))["up"]
    yield address(up[0])
    yield address(up[1])


for name in ("chain", "zip", "merge"):
    CHILDREN["stream_" + name] = both_children

CLAIMS = ("vg_lock", "vg_acquire", "vg_rdlock", "vg_wrlock", "vg_notified")
OPERATIONS = {"vg_recv": "vg_io", "vg_send": "vg_io", "vg_accept": "vg_io", "vg_close": "vg_io",
              "vg_shutdown": "vg_io", "vg_send_all": "vg_send_all", "vg_connect": "vg_connect"}


def wait_of(fut, name):
    """What a leaf waits for, where that is known."""
    if name in CLAIMS:
        resource = fut.cast(pointer("vg_claim"))["permits"]["resource"]
        place = resource["place"]
        made = ", made at %s:%d" % (text(place["file"]), number(place["line"])) if int(place) else ""
        return '  waits for %s "%s"%s' % (text(resource["ops"]["kind"]), text(resource["name"]), made)
    if name in OPERATIONS:
        return "  descriptor %d" % number(fut.cast(pointer(OPERATIONS[name]))["wait"]["op"]["fd"])
    return ""


def site_of(co):
    site = co["at"]
    if not int(site):
        return "(not started)"
    return "%s:%d  %s" % (text(site["file"]), number(site["line"]), text(site["expr"]))


def frame_children(fut):
    """What an async function awaits, then what goes on beside it."""
    co = fut.cast(pointer("vg_async"))
    if int(co["child"]) and number(co["child"]["state"]) == RUNNING:
        yield co["child"], ""
    other = co["bg"]
    while int(other):
        yield other, "~ "
        other = other["next"]


def children_of(fut, name):
    if number(fut["ops"]["kind"]) == KIND_ASYNC:
        yield from frame_children(fut)
    elif name in CHILDREN:
        for child in CHILDREN[name](fut):
            if int(child) and number(child["state"]) == RUNNING:
                yield child, ""


def show(fut, depth, mark):
    name = text(fut["ops"]["name"])
    state = STATE.get(number(fut["state"]), "")
    line = "  " * depth + mark + name
    if number(fut["ops"]["kind"]) == KIND_ASYNC:
        line += "  " + site_of(fut.cast(pointer("vg_async")))
    else:
        line += wait_of(fut, name)
    print(line + ("  " + state if state else ""))
    if depth < DEPTH_MAX:
        for child, beside in children_of(fut, name):
            show(child, depth + 1, beside)


def headline(task):
    return 'task %s "%s"  %s, polled %d times, spawned at %s' % (
        id_of(task), text(task["name"]), state_of(task), number(task["polls"]), place_of(task))


# ---- commands --------------------------------------------------------------------------------------


class Vg(gdb.Command):
    """vigil: vg tasks, vg bt [task]."""

    def __init__(self):
        super().__init__("vg", gdb.COMMAND_STACK, prefix=True)


class VgTasks(gdb.Command):
    """Every task of every executor."""

    def __init__(self):
        super().__init__("vg tasks", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        count = 0
        for task in tasks():
            print(headline(task))
            count += 1
        print("%d tasks" % count)


class VgBt(gdb.Command):
    """The await tree of a task, or of all."""

    def __init__(self):
        super().__init__("vg bt", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        found = False
        for task in tasks():
            if argument and id_of(task) != argument.strip():
                continue
            found = True
            print(headline(task))
            if int(task["root"]):
                show(task["root"].cast(pointer("vg_future")), 1, "")
        if argument and not found:
            raise gdb.GdbError("no task %s" % argument)


Vg()
VgTasks()
VgBt()
