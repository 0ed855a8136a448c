// SPDX-License-Identifier: MIT

package main

import (
	"runtime"
	"sync"
)

func spawnJoin() run {
	tasks := count(1000000)
	return measure(tasks, func() {
		var group sync.WaitGroup
		group.Add(tasks)
		for i := 0; i < tasks; i++ {
			go group.Done()
		}
		group.Wait()
	})
}

func yields(times int) {
	for i := 0; i < times; i++ {
		runtime.Gosched()
	}
}

func yieldMany() run {
	tasks, times := 1000, count(1000)
	return measure(tasks*times, func() {
		var group sync.WaitGroup
		group.Add(tasks)
		for i := 0; i < tasks; i++ {
			go func() {
				yields(times)
				group.Done()
			}()
		}
		group.Wait()
	})
}

func yieldOne() run {
	times := count(1000000)
	return measure(times, func() { yields(times) })
}

func pingPong() run {
	rounds := count(100000)
	return measure(rounds, func() {
		for round := 0; round < rounds; round++ {
			ping, pong := make(chan int, 1), make(chan int, 1)
			go func() { pong <- <-ping }()
			ping <- round
			check("pong", <-pong, round)
		}
	})
}

func chain(tasks int, end chan<- struct{}) {
	if tasks == 1 {
		end <- struct{}{}
		return
	}
	go chain(tasks-1, end)
}

func chainedSpawn() run {
	tasks := count(1000000)
	return measure(tasks, func() {
		end := make(chan struct{}, 1)
		go chain(tasks, end)
		<-end
	})
}
