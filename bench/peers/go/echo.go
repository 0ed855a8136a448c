// SPDX-License-Identifier: MIT

package main

import (
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"
)

func serve(connection net.Conn) {
	defer connection.Close()
	buffer := make([]byte, 4096)
	for {
		length, err := connection.Read(buffer)
		if err != nil {
			return
		}
		if _, err = connection.Write(buffer[:length]); err != nil {
			return
		}
	}
}

// echo serves the port until SIGTERM. Package net sends without delay.
func echo(port int) {
	terminated := make(chan os.Signal, 1)
	signal.Notify(terminated, syscall.SIGTERM)
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		fail(1, "%v", err)
	}
	fmt.Printf("listening on %v\n", listener.Addr())
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				fail(1, "%v", err)
			}
			go serve(connection)
		}
	}()
	<-terminated
}
