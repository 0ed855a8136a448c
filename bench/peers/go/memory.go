// SPDX-License-Identifier: MIT

package main

import (
	"runtime"
	"sync/atomic"
	"time"
)

// Goroutines that each wait for a channel of their own. The table of the channels is there, and written to, before.
func memTask() run {
	tasks := count(1000000)
	channels := make([]chan struct{}, tasks)
	for i := range channels {
		channels[i] = nil
	}
	var parked atomic.Int64
	result := measureMemory(tasks, func() {
		for i := range channels {
			channel := make(chan struct{}, 1)
			channels[i] = channel
			go func() {
				parked.Add(1)
				<-channel
			}()
		}
		for parked.Load() < int64(tasks) {
			time.Sleep(time.Millisecond)
		}
	})
	runtime.KeepAlive(channels)
	return result
}
