package main

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"
)

const (
	maxModules = 5
	maxGrowth  = 3.0 // of the binary, in percent
)

// report prints what the client weighs beside the floor, and the targets.
func report(w io.Writer, floor, client *program) error {
	added := client.bytes - floor.bytes
	growth := 100 * float64(added) / float64(floor.bytes)
	fmt.Fprintf(w, "%s/%s, %s, stripped, without cgo\n\n", runtime.GOOS, runtime.GOARCH, runtime.Version())
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\tfloor\tclient\tadded\ttarget")
	fmt.Fprintf(t, "modules beyond the standard library\t%d\t%d\t+%d\t%s\n", len(floor.modules), len(client.modules),
		len(client.modules)-len(floor.modules), verdict(fmt.Sprintf("≤ %d", maxModules), len(client.modules) <= maxModules))
	fmt.Fprintf(t, "lines in go.sum\t%d\t%d\t%+d\t\n", floor.sumLines, client.sumLines, client.sumLines-floor.sumLines)
	fmt.Fprintf(t, "packages beyond the standard library\t%d\t%d\t%+d\t\n", len(floor.packages), len(client.packages),
		len(client.packages)-len(floor.packages))
	fmt.Fprintf(t, "packages of the standard library\t%d\t%d\t%+d\t\n", len(floor.standard), len(client.standard),
		len(client.standard)-len(floor.standard))
	fmt.Fprintf(t, "bytes of the binary\t%d\t%d\t%+d (%+.1f %%)\t%s\n", floor.bytes, client.bytes, added, growth,
		verdict(fmt.Sprintf("≤ %+.0f %%", maxGrowth), growth <= maxGrowth))
	fmt.Fprintf(t, "compile time, nothing cached, fastest of %d\t%s\t%s\t%.2f×\t\n", builds,
		floor.compile.Round(time.Second/10), client.compile.Round(time.Second/10), client.compile.Seconds()/floor.compile.Seconds())
	if err := t.Flush(); err != nil {
		return fmt.Errorf("print the table: %w", err)
	}
	fmt.Fprintf(w, "\nThe modules are\n  %s\nand the packages\n  %s\n",
		strings.Join(client.modules, "\n  "), strings.Join(client.packages, "\n  "))
	return nil
}

func verdict(target string, met bool) string {
	if met {
		return target + ", met"
	}
	return target + ", missed"
}
