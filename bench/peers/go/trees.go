// SPDX-License-Identifier: MIT

package main

// node sends the sum of the leaves below it.
func node(first, leaves int, sum chan<- int) {
	if leaves == 1 {
		sum <- first
		return
	}
	sums := make(chan int, 10)
	for i := 0; i < 10; i++ {
		go node(first+i*leaves/10, leaves/10, sums)
	}
	total := 0
	for i := 0; i < 10; i++ {
		total += <-sums
	}
	sum <- total
}

func skynet() run {
	leaves := 1000000
	for leaves > count(1000000) {
		leaves /= 10
	}
	return measure((leaves*10-1)/9, func() {
		sum := make(chan int, 1)
		go node(0, leaves, sum)
		check("skynet", <-sum, leaves*(leaves-1)/2)
	})
}

func fib(n int) int {
	if n < 2 {
		return n
	}
	task := make(chan int, 1)
	go func() { task <- fib(n - 1) }()
	inline := fib(n - 2)
	return <-task + inline
}

func fibValue(n int) int {
	a, b := 0, 1
	for ; n > 0; n-- {
		a, b = b, a+b
	}
	return a
}

// How often fib is called for fib(n), with fib(0) and fib(1) as leaves.
func fibCalls(n int) int {
	return 2*fibValue(n+1) - 1
}

func fibTasks() run {
	n := 27
	for n > 2 && fibCalls(n) > count(fibCalls(27)) {
		n--
	}
	return measure(fibCalls(n), func() { check("fib", fib(n), fibValue(n)) })
}
