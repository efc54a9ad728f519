// Command benchtable prints what calls cost in ratios to the floor, from the output of benchmarks.
//
//	go test -bench . ./api >bench.out && go run ./openapi/internal/benchtable bench.out
//
// It reads files, or else its standard input, in which each benchmark has run once or more. The last part of a
// benchmark's name is its row, as in /row=client, and "floor" is the row to which the others are compared: each run to the floor's run
// of the same round, so that what slows a whole round down does not matter. Of all rounds it shows the median.
package main

import (
	"fmt"
	"io"
	"os"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "benchtable:", err)
		os.Exit(1)
	}
}

func run(files []string, stdin io.Reader, stdout io.Writer) error {
	var r results
	if len(files) == 0 {
		if err := r.read(stdin); err != nil {
			return fmt.Errorf("read the standard input: %w", err)
		}
	}
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			return fmt.Errorf("open the output of the benchmarks: %w: write it with go test -bench", err)
		}
		err = r.read(f)
		_ = f.Close() // read to its end, or not wanted
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
	}
	return r.print(stdout)
}
