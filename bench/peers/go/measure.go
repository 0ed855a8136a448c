// SPDX-License-Identifier: MIT

package main

import (
	"bytes"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"syscall"
	"time"
)

func cpuTime() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		fail(1, "getrusage: %v", err)
	}
	return usage.Utime.Nano() + usage.Stime.Nano()
}

// measure runs body, which is ops operations. What earlier ones left to the collector is collected before.
func measure(ops int, body func()) run {
	runtime.GC()
	cpu := cpuTime()
	start := time.Now()
	body()
	wall := time.Since(start)
	return run{ops, wall.Nanoseconds(), cpuTime() - cpu}
}

func resident() int64 {
	debug.FreeOSMemory() // collects, too
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		fail(1, "%v", err)
	}
	pages, err := strconv.Atoi(string(bytes.Fields(statm)[1]))
	if err != nil {
		fail(1, "statm: %v", err)
	}
	return int64(pages) * int64(os.Getpagesize())
}

// measureMemory tells by how many bytes body makes the process's resident memory grow.
func measureMemory(ops int, body func()) run {
	before := resident()
	body()
	return run{ops, resident() - before, 0}
}

// check ends the process if a benchmark's result is wrong.
func check(what string, got, wanted int) {
	if got != wanted {
		fail(1, "%s: %d, not %d", what, got, wanted)
	}
}

// count is how much of something to do: the full amount, or VIGIL_PEER_SCALE times less.
func count(full int) int {
	scale := 1
	if text, ok := os.LookupEnv("VIGIL_PEER_SCALE"); ok {
		scale = number(text, 1)
	}
	if full < scale {
		return 1
	}
	return full / scale
}
