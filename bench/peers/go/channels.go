// SPDX-License-Identifier: MIT

package main

import (
	"runtime"
	"sync"
)

func mpsc(producers int) run {
	each := count(1000000 / producers)
	return measure(producers*each, func() {
		values := make(chan int, 64)
		for i := 0; i < producers; i++ {
			go func() {
				for value := 0; value < each; value++ {
					values <- value
				}
			}()
		}
		sum := 0
		for i := 0; i < producers*each; i++ {
			sum += <-values
		}
		check("sum", sum, producers*(each*(each-1)/2))
	})
}

func mpsc11() run { return mpsc(1) }
func mpsc81() run { return mpsc(8) }

// A channel with one place, used once.
func oneshot() run {
	times := count(1000000)
	return measure(times, func() {
		for value := 0; value < times; value++ {
			channel := newOneshot()
			channel <- value
			check("oneshot", <-channel, value)
		}
	})
}

// Kept out of line, so that the channel is on the heap, as one that another goroutine is given.
//
//go:noinline
func newOneshot() chan int {
	return make(chan int, 1)
}

// A channel with a place for each permit.
func semaphore() run {
	times := count(1000000)
	return measure(times, func() {
		permits := make(chan struct{}, 1)
		for i := 0; i < times; i++ {
			permits <- struct{}{}
			<-permits
		}
	})
}

// A channel with one place, which holds at most one notification.
func notify() run {
	times := count(1000000)
	return measure(times, func() {
		notified := make(chan struct{}, 1)
		for i := 0; i < times; i++ {
			select {
			case notified <- struct{}{}:
			default:
			}
			<-notified
		}
	})
}

func mutexContended() run {
	tasks, times := 64, count(10000)
	return measure(tasks*times, func() {
		var mutex sync.Mutex
		var group sync.WaitGroup
		value := 0
		group.Add(tasks)
		for i := 0; i < tasks; i++ {
			go func() {
				for i := 0; i < times; i++ {
					mutex.Lock()
					value++
					runtime.Gosched()
					mutex.Unlock()
				}
				group.Done()
			}()
		}
		group.Wait()
		check("locks", value, tasks*times)
	})
}
