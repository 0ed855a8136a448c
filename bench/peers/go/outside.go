// SPDX-License-Identifier: MIT

package main

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// outside measures body on a thread of its own. No thread is outside of Go's runtime: it has a processor while it runs, like any.
func outside(ops int, body func()) (result run) {
	done := make(chan struct{})
	go func() {
		runtime.LockOSThread() // for good: the thread ends with the goroutine
		result = measure(ops, body)
		close(done)
	}()
	<-done
	return
}

func spawnAll(tasks int) run {
	return outside(tasks, func() {
		var group sync.WaitGroup
		group.Add(tasks)
		for i := 0; i < tasks; i++ {
			go group.Done()
		}
		group.Wait()
	})
}

func remoteSpawnIdle() run {
	return spawnAll(count(200000))
}

// Four goroutines for each worker yield all the time.
func remoteSpawnBusy() run {
	var stop atomic.Bool
	var busy sync.WaitGroup
	for i := 0; i < 4*runtime.GOMAXPROCS(0); i++ {
		busy.Add(1)
		go func() {
			for !stop.Load() {
				runtime.Gosched()
			}
			busy.Done()
		}()
	}
	run := spawnAll(count(200000))
	stop.Store(true)
	busy.Wait()
	return run
}

func wakeParked() run {
	rounds := count(20000)
	ask, answer := make(chan int, 1), make(chan int, 1)
	go func() {
		for round := range ask {
			answer <- round
		}
	}()
	defer close(ask)
	return outside(rounds, func() {
		for round := 0; round < rounds; round++ {
			ask <- round
			check("answer", <-answer, round)
		}
	})
}
