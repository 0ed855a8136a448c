// SPDX-License-Identifier: MIT

package main

import (
	"runtime"
	"sync"
	"time"
)

// sleeps yields 1 to 1000 ms, the same sequence in every peer.
type sleeps uint64

func (x *sleeps) next() time.Duration {
	*x ^= *x << 13
	*x ^= *x >> 7
	*x ^= *x << 17
	return time.Duration(1+*x%1000) * time.Millisecond
}

func timersFire() run {
	timers := count(1000000)
	return measure(timers, func() {
		times := sleeps(0x9e3779b97f4a7c15)
		var group sync.WaitGroup
		group.Add(timers)
		for i := 0; i < timers; i++ {
			go func(sleep time.Duration) {
				time.Sleep(sleep)
				group.Done()
			}(times.next())
		}
		group.Wait()
	})
}

func timerCancel() run {
	timers := count(1000000)
	return measure(timers, func() {
		for i := 0; i < timers; i++ {
			timer := time.NewTimer(10 * time.Second)
			runtime.Gosched()
			if !timer.Stop() {
				fail(1, "too late")
			}
		}
	})
}
