// SPDX-License-Identifier: MIT

// The Go runtime: goroutines, channels and package sync, with as many processors as workers.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
)

type bench struct {
	name   string
	run    func() run
	warmUp bool
}

// What one run took. For memory, wall is bytes.
type run struct {
	ops  int
	wall int64
	cpu  int64
}

var benches = []bench{
	{"spawn_join", spawnJoin, true},
	{"yield_many", yieldMany, true},
	{"yield_one", yieldOne, true},
	{"ping_pong", pingPong, true},
	{"chained_spawn", chainedSpawn, true},
	{"skynet", skynet, true},
	{"fib_tasks", fibTasks, true},
	{"remote_spawn_idle", remoteSpawnIdle, true},
	{"remote_spawn_busy", remoteSpawnBusy, true},
	{"wake_parked", wakeParked, true},
	{"timers_fire", timersFire, true},
	{"timer_cancel", timerCancel, true},
	{"mpsc_1_1", mpsc11, true},
	{"mpsc_8_1", mpsc81, true},
	{"oneshot", oneshot, true},
	{"mutex_contended", mutexContended, true},
	{"semaphore", semaphore, true},
	{"notify", notify, true},
	{"mem_task", memTask, false}, // bytes of resident memory in place of wall time; no warm-up, which would leave some
}

func fail(code int, format string, values ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", values...)
	os.Exit(code)
}

func number(text string, least int) int {
	value, err := strconv.Atoi(text)
	if err != nil || value < least {
		fail(2, "%s is not such a number", text)
	}
	return value
}

func find(name string) bench {
	for _, bench := range benches {
		if bench.name == name {
			return bench
		}
	}
	fail(2, "no benchmark %s; see --list", name)
	panic(name)
}

func main() {
	args := os.Args[1:]
	switch {
	case len(args) == 1 && args[0] == "--list":
		for _, bench := range benches {
			fmt.Println(bench.name)
		}
	case len(args) == 3 && args[0] == "echo":
		runtime.GOMAXPROCS(number(args[2], 1))
		echo(number(args[1], 0))
	case len(args) == 2:
		bench := find(args[0])
		runtime.GOMAXPROCS(number(args[1], 1))
		if bench.warmUp {
			bench.run()
		}
		run := bench.run()
		fmt.Printf("%s\t%d\t%d\t%d\n", bench.name, run.ops, run.wall, run.cpu)
	default:
		fail(2, "PROGRAM BENCH WORKERS | PROGRAM --list | PROGRAM echo PORT WORKERS")
	}
}
