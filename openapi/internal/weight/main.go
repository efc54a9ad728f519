// Command weight prints what a program pays for importing the client: modules, packages, bytes and compile time,
// beside the same program that gets its session with the standard library alone, the floor.
//
//	go run ./openapi/internal/weight
//
// It runs anywhere in this module and builds both programs, each a module of its own in a temporary folder, with
// nothing compiled before. That takes some minutes, and of the network at most Go's module proxy.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, goCommand, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "weight:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, command runner, stdout io.Writer) error {
	temporary, err := os.MkdirTemp("", "weight")
	if err != nil {
		return fmt.Errorf("make a folder for the programs: %w", err)
	}
	defer func() { _ = os.RemoveAll(temporary) }()
	floor, client, err := weigh(ctx, command, temporary)
	if err != nil {
		return err
	}
	return report(stdout, floor, client)
}
